"""Losses and heads that take the classes for grades are refused where the data says that they have no order."""

from functools import partial
from types import SimpleNamespace

import pytest
from small_runs import refused
from torch import nn

from lightning_imbal.errors import UserError
from lightning_imbal.heads import CoralHead, CornHead
from lightning_imbal.losses import SORD, CoralLoss, CornLoss, CostSensitive, CrossEntropy, Deferred
from lightning_imbal.modules import Classifier
from lightning_imbal.modules.base_checks import check_order


def classifier(loss=CrossEntropy, head=nn.Linear):
    return Classifier(loss=loss, head=head, class_counts=[9, 5, 2], class_names=["0", "1", "2"], backbone="test_resnet")


@pytest.mark.parametrize("part", [SORD, CoralLoss, CornLoss, CostSensitive, CoralHead, CornHead])
def test_grades_are_wanted(part):
    model = classifier(**{"head" if part.__name__.endswith("Head") else "loss": part})
    check_order(model, SimpleNamespace(ordered=True))
    check_order(model, SimpleNamespace())  # data of others may not say
    with pytest.raises(UserError, match=f"^{part.__name__} takes the classes for grades"):
        check_order(model, SimpleNamespace(ordered=False))


def test_a_loss_within_another_wants_them_too():
    with pytest.raises(UserError, match="^CoralLoss takes"):
        check_order(classifier(loss=partial(Deferred, loss=CoralLoss)), SimpleNamespace(ordered=False))
    check_order(classifier(loss=partial(Deferred, loss=CrossEntropy)), SimpleNamespace(ordered=False))


def test_nothing_is_trained_on_classes_without_an_order(tmp_path, capsys):
    command = ["fit", "--config", "experiments/demo.yaml", "--config", "experiments/methods/coral.yaml"]
    assert refused(capsys, *command, "--run_dir", str(tmp_path / "run")) == (
        "lightning_imbal: CoralLoss takes the classes for grades, from low to high, but those of DigitsLT have no "
        "order: choose another method, or, if images of your own are grades, say so with --data.ordered true."
    )
    assert not (tmp_path / "run").exists()
