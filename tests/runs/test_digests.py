"""Results know the files of their run: another one in the place of any is refused, an older version says nothing."""

import json

import pytest

from lightning_imbal.errors import UserError
from lightning_imbal.runs.digests import check_checkpoint, check_digest, digests
from lightning_imbal.runs.run import Run
from lightning_imbal.stats.settings import settings

FILES = ["predictions.parquet", "stage1/config.yaml", "stage1/split.csv", "stage2/metrics.csv"]
FILES += ["stage1/checkpoints/best.ckpt", "stage2/checkpoints/last.ckpt"]


def write(file, text):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def write_results(folder, **more):
    write(folder / "metrics.json", json.dumps({"files": digests(folder), **more}))


@pytest.fixture
def run(tmp_path):
    for name in FILES:
        write(tmp_path / name, name)
    write_results(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", FILES)
def test_another_file_is_refused(run, name):
    check_digest(run / name, run)
    write(run / name, "another one")
    with pytest.raises(UserError, match=f"{name} is not the one with which .*metrics.json was written: put "):
        check_digest(run / name, run)


def test_of_a_run_that_goes_on_nothing_is_known(run):
    write(run / FILES[1], "more epochs")
    (run / "metrics.json").unlink()
    check_digest(run / FILES[1], run)


@pytest.mark.parametrize("older", [{}, {"files": {}}])
def test_an_older_run_says_nothing(run, older):
    write(run / "metrics.json", json.dumps(older))
    write(run / FILES[1], "another one")
    check_digest(run / FILES[1], run)


def test_digests_that_are_none(run):
    write(run / "metrics.json", '{"files": 3}')
    with pytest.raises(UserError, match="metrics.json is cut off, damaged"):
        check_digest(run / FILES[1], run)


def test_another_checkpoint_is_refused_where_it_is_kept(run):
    kept, own = run / "stage1/checkpoints/best.ckpt", run / "stage1/checkpoints/of_the_user.ckpt"
    write(own, "any")
    write(run / "mailed.ckpt", "any")
    for file in (kept, own, run / "mailed.ckpt"):
        check_checkpoint(file)
    write(kept, "another one")
    with pytest.raises(UserError, match="best.ckpt is not the one"):
        check_checkpoint(kept)


def test_the_record_of_another_test_is_refused_and_its_seconds_may_change(tmp_path):
    def record(seconds, **options):
        identity = {"configs": ["a.yaml"], "options": options}
        write(tmp_path / "test" / "command.json", json.dumps({"identity": identity, "seconds": seconds}))

    (tmp_path / "stage1").mkdir()
    record(0.0, **{"model.predictor.eps": "1"})
    write_results(tmp_path / "test")
    record(8.5, **{"model.predictor.eps": "1"})
    assert settings(Run(tmp_path / "test"))["model.predictor.eps"] == 1
    record(8.5, **{"model.predictor.eps": "2"})
    with pytest.raises(UserError, match="command.json is not the one"):
        settings(Run(tmp_path / "test"))
