"""Folders of runs: the next free one."""

import pytest

from lightning_imbal.runs.folder import first_free, holds_run


@pytest.mark.parametrize(
    "name, following",
    [("run", "run_2"), ("run_2", "run_3"), ("a_1_9", "a_1_10"), ("7", "7_2"), ("run_b", "run_b_2"), ("_3", "_4")],
)
def test_a_taken_folder_is_counted_on(tmp_path, name, following):
    assert first_free(tmp_path / name) == tmp_path / name
    (tmp_path / name).mkdir()
    assert first_free(tmp_path / name) == tmp_path / following


def test_counting_goes_on_until_one_is_free(tmp_path):
    for name in ("run", "run_2", "run_3"):
        (tmp_path / name).mkdir()
    assert first_free(tmp_path / "run") == tmp_path / "run_4"


def test_a_start_that_failed_is_no_run(tmp_path):
    stage = tmp_path / "stage1"
    (stage / "checkpoints").mkdir(parents=True)
    (stage / "metrics.csv").touch()
    assert not holds_run(tmp_path)
    for kept in (stage / "checkpoints" / "last.ckpt", tmp_path / "metrics.json", tmp_path / "predictions.parquet"):
        kept.touch()
        assert holds_run(tmp_path)
        kept.unlink()
