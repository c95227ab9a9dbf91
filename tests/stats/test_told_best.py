"""Which of several runs is marked as the best."""

from made_runs import write_run

from lightning_imbal.runs.run import Run
from lightning_imbal.stats.told_best import told_best


def runs_of(folder, **skills):
    for noise, (name, skill) in enumerate(skills.items()):
        write_run(folder / name, images=240, skill=skill, noise=noise)
    return [Run(folder / name) for name in skills]


def test_only_what_can_be_told(tmp_path):
    found = told_best(runs_of(tmp_path, ce=0.3, rs=3.0, ldam=0.4))
    assert found["f1"] == found["accuracy"] == found["f1/nv"] == 1
    assert told_best(runs_of(tmp_path / "equal", ce=1.0, rs=1.0)) == {}
    assert "f1" not in told_best(runs_of(tmp_path / "two", ce=0.3, rs=3.0, bcl=3.0))


def test_it_is_not_known_without_the_same_predictions(tmp_path):
    runs = runs_of(tmp_path, ce=0.3, rs=3.0)
    (tmp_path / "ce" / "predictions.parquet").unlink()
    assert told_best(runs_of(tmp_path / "b", ce=0.3) + runs[1:]) is not None
    assert told_best([Run(run.folder) for run in runs]) is None
    write_run(tmp_path / "other", images=200, skill=3.0)
    assert told_best([Run(tmp_path / "other"), runs[1]]) is None
