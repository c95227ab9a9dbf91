"""A `fit` that is a trial knows what it is compared with; one that was tuned says on what."""

from types import SimpleNamespace

import pytest
from jsonargparse import Namespace

from lightning_imbal.cli.parts.check import check_evaluation
from lightning_imbal.cli.parts.tuned import stopping
from lightning_imbal.errors import UserError
from lightning_imbal.tuning.about import about
from lightning_imbal.tuning.trial import Trial, folder_of

STAGE = Namespace(trainer=Namespace(max_epochs=4))


@pytest.fixture
def trial(tmp_path):
    """The folder of a trial that knows five others, whose scores were 0.5, and not the sixth."""
    about(["model.optimizer.lr=log:1e-4:1e-1"], "val/f1", 0, "median", [], []).write(tmp_path)
    for number, value in enumerate([0.5] * 5 + [0.1]):
        values = dict.fromkeys(range(4), value)
        found = Trial(number, {"model.optimizer.lr": 0.01}, number, "complete", value, 3, values)
        found.write(folder_of(tmp_path, number))
    Trial(6, {"model.optimizer.lr": 0.02}, 5).write(folder_of(tmp_path, 6))
    return folder_of(tmp_path, 6)


def test_a_trial_is_compared_with_those_that_it_knows(trial):
    [callback] = stopping(trial, [STAGE])
    assert callback.score == "val/f1"
    assert callback.is_hopeless({0: 0.1, 1: 0.4}) and not callback.is_hopeless({0: 0.1, 1: 0.6})
    (folder_of(trial.parents[1], 4) / "trial.json").unlink()
    [callback] = stopping(trial, [STAGE])
    assert not callback.is_hopeless({0: 0.1, 1: 0.4}), "four are too few"


def test_no_other_run_and_no_earlier_stage_is_given_up(trial, tmp_path):
    assert stopping(trial, [STAGE, STAGE]) == [] and stopping(tmp_path / "run", [STAGE]) == []
    about(["model.optimizer.lr=log:1e-4:1e-1"], "val/f1", 0, "none", [], []).write(tmp_path)
    assert stopping(trial, [STAGE]) == []
    (tmp_path / "tune.json").unlink()
    assert stopping(trial, [STAGE]) == []


def test_a_locked_part_is_not_tested():
    names = ["a", "b"]
    model = Namespace(classifies=True, class_names=names, check_inference=lambda data: None)
    data = SimpleNamespace(class_names=names, lock_test=True, rows=lambda part: [])
    with pytest.raises(UserError, match="locked, as in the training: unlock it with data.lock_test=false"):
        check_evaluation("test", model, data)
