"""Where a run writes: never where something else is already."""

import pytest
from jsonargparse import Namespace

from lightning_imbal.cli.parts.run_dir import check_yaml, for_results, prepare
from lightning_imbal.errors import UserError


def test_a_run_that_is_not_finished_is_not_overwritten_either(tmp_path):
    config = Namespace(run_dir=str(tmp_path / "run"), ckpt_path=None)
    assert prepare(config) == tmp_path / "run"
    (tmp_path / "run" / "stage1" / "checkpoints").mkdir(parents=True)
    assert prepare(config) == tmp_path / "run", "a start that failed"
    (tmp_path / "run" / "stage1" / "checkpoints" / "last.ckpt").touch()
    with pytest.raises(UserError, match="run_2"):
        prepare(config)
    assert prepare(Namespace(run_dir=str(tmp_path / "run"), ckpt_path="last")) == tmp_path / "run"


def test_a_job_that_slurm_starts_again_goes_on_with_its_run(tmp_path, monkeypatch):
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    config = Namespace(run_dir=str(tmp_path), ckpt_path=None)
    assert prepare(config) == tmp_path and config.ckpt_path is None, "killed before its first epoch was over"
    (tmp_path / "metrics.json").touch()
    assert prepare(config) == tmp_path and config.ckpt_path == "last"


def test_every_evaluation_has_a_folder_of_its_own(tmp_path):
    config = Namespace(ckpt_path=str(tmp_path / "run" / "stage1" / "checkpoints" / "best.ckpt"))
    for name in ("test", "test_2", "test_3"):
        assert for_results(config, ["test"], "test") == tmp_path / "run" / name
        (tmp_path / "run" / name).mkdir(parents=True)
    chosen = ["test", "--run_dir", str(tmp_path / "run" / "test")]
    assert for_results(config, chosen, "test") == tmp_path / "run" / "test"
    (tmp_path / "run" / "test" / "metrics.json").touch()
    with pytest.raises(UserError, match="already holds results.*test_4"):
        for_results(config, chosen, "test")


@pytest.mark.parametrize("option", ["--config", "--data"])
def test_a_key_that_is_there_twice_is_refused_also_in_the_files_of_slots(tmp_path, option):
    (tmp_path / "set.yaml").write_text("class_path: CSVData\nclass_path: Digits\n")
    (tmp_path / "run.yaml").write_text("data: set.yaml\n")
    file = {"--config": "run.yaml", "--data": "set.yaml"}[option]
    with pytest.raises(UserError, match="set.yaml has the key 'class_path' twice, in lines 1 and 2"):
        check_yaml([option, str(tmp_path / file)])
    check_yaml(["--data", "CSVData", "--config", str(tmp_path / "nowhere.yaml")])
