"""What another number of epochs would have changed from the first one on."""

import pytest
import torch
from small_runs import NAMES
from torch.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, StepLR

from lightning_imbal.heads import TauNormalized
from lightning_imbal.losses import BWCE, LDAM, MWNL, CrossEntropy, Deferred
from lightning_imbal.modules import BBN, TSC, Classifier, FrozenHead, HybridSC
from lightning_imbal.modules.base_epochs import bound_to_epochs
from lightning_imbal.schedulers import CosineCycles, Plateau, Steps, WarmupCosine


def bound(kind=Classifier, before=4, now=8, **kwargs):
    model = kind(class_counts=list(range(10, 0, -1)), class_names=NAMES, backbone="test_resnet", **kwargs)
    return list(bound_to_epochs(model, before, now))


@pytest.mark.parametrize("loss", [CrossEntropy, LDAM])
def test_a_plain_training_is_not(loss):
    assert bound(loss=loss) == []


@pytest.mark.parametrize(
    ("loss", "names"),
    [
        (BWCE, ["BWCE"]),
        (MWNL, ["MWNL"]),
        (lambda counts: Deferred(counts, LDAM), ["Deferred"]),
        (lambda counts: Deferred(counts, MWNL), ["Deferred", "MWNL"]),
    ],
)
def test_a_loss_that_changes_over_the_epochs_is(loss, names):
    assert bound(loss=loss) == names


@pytest.mark.parametrize("kind", [BBN, HybridSC, TSC])
def test_a_method_that_changes_over_the_epochs_is(kind):
    assert bound(kind) == [kind.__name__]


def poly(optimizer, max_epochs):
    return LambdaLR(optimizer, lambda epoch: (1 - epoch / max_epochs) ** 0.9)


@pytest.mark.parametrize("before, now", [(4, 8), (8, 4)])
@pytest.mark.parametrize("schedule", [CosineAnnealingLR, CosineCycles, WarmupCosine, Steps, poly])
def test_a_schedule_over_all_epochs_is(schedule, before, now):
    name = "LambdaLR" if schedule is poly else schedule.__name__
    assert bound(before=before, now=now, scheduler=schedule) == [name]


def test_a_cosine_of_one_epoch_is():
    assert bound(before=1, now=2, scheduler=CosineAnnealingLR) == ["CosineAnnealingLR"]


@pytest.mark.parametrize("schedule", [Plateau, lambda optimizer, max_epochs: StepLR(optimizer, 3)])
def test_a_schedule_that_does_not_know_the_end_is_not(schedule):
    assert bound(scheduler=schedule) == []


def test_nothing_is_scheduled_for_a_head_that_is_computed():
    assert bound(FrozenHead, scheduler=CosineAnnealingLR, head=TauNormalized) == []


def test_the_weights_stay_as_they_are():
    model = Classifier(class_counts=[2, 1], class_names=["a", "b"], backbone="test_resnet", scheduler=CosineAnnealingLR)
    before = [parameter.clone() for parameter in model.parameters()]
    list(bound_to_epochs(model, 4, 8))
    assert all(map(torch.equal, before, model.parameters()))
