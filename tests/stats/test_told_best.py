"""Which of several runs is marked as the best."""

import numpy as np
import torch
from made_runs import write_run, write_test

from lightning_imbal.runs.run import Run
from lightning_imbal.stats.told_best import told_best


def runs_of(folder, **skills):
    for noise, (name, skill) in enumerate(skills.items()):
        write_run(folder / name, images=240, skill=skill, noise=noise)
    return [Run(folder / name) for name in skills]


def test_only_what_can_be_told(tmp_path):
    found = told_best(runs_of(tmp_path, ce=0.3, rs=3.0, ldam=0.4))
    assert found.best["f1"] == found.best["accuracy"] == found.best["f1/nv"] == 1
    assert told_best(runs_of(tmp_path / "equal", ce=1.0, rs=1.0)).best == {}
    assert "f1" not in told_best(runs_of(tmp_path / "two", ce=0.3, rs=3.0, bcl=3.0)).best


def test_it_is_not_known_without_the_same_predictions(tmp_path):
    runs = runs_of(tmp_path, ce=0.3, rs=3.0)
    (tmp_path / "ce" / "predictions.parquet").unlink()
    assert told_best(runs_of(tmp_path / "b", ce=0.3) + runs[1:]) is not None
    assert told_best([Run(run.folder) for run in runs]) is None
    write_run(tmp_path / "other", images=200, skill=3.0)
    assert told_best([Run(tmp_path / "other"), runs[1]]) is None


def test_what_needs_no_training_is_known_and_what_is_not_above_it_is_never_the_best(tmp_path):
    write_run(tmp_path / "ce", images=240, skill=0.0, noise=3)
    guesses = Run(tmp_path / "ce")
    label = guesses.predictions.label
    write_test(tmp_path / "alone", torch.eye(4)[0 * label], label, np.arange(240))
    found = told_best([guesses, Run(tmp_path / "alone")])
    assert found.remarks == ["not above the floor", 'answers only "nv"']
    assert found.floors["majority class"]["accuracy"] == (label == 0).mean() > 2 * (label == 1).mean()
    assert "accuracy" not in found.best, "it has by far the most hits, and no skill"
    assert told_best(runs_of(tmp_path, rs=3.0)).remarks == [""]
