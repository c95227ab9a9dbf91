"""The loss of two devices is that of the batch of both: divisors, hardest images, pairs, mixtures."""

from functools import partial

import pytest
import torch
from lightning.pytorch import LightningModule

from lightning_imbal.losses import OHEM, CrossEntropy, Deferred, TripletTerm
from lightning_imbal.mixers import CutMix, MixUp, Remix
from lightning_imbal.modules import BBN, BalancedMixUpClassifier, Classifier, MetricLearningClassifier

COUNTS, NAMES = [40, 9, 3], ["a", "b", "c"]
WEIGHTED = partial(CrossEntropy, weight="inverse", reduction="weighted_mean")
MODULES = {
    "weighted mean": partial(Classifier, loss=WEIGHTED),
    "hardest": partial(Classifier, loss=partial(OHEM, keep_ratio=0.3)),
    "deferred": partial(Classifier, loss=partial(Deferred, loss=CrossEntropy, start=0.0)),
    "two branches": partial(BBN, loss=WEIGHTED),
    "mixtures": partial(Classifier, loss=WEIGHTED, mixer=MixUp),
    "boxes": partial(Classifier, mixer=partial(CutMix, probability=1.0)),
    "labels of rarer partners": partial(Classifier, mixer=Remix),
    "balanced mixtures": partial(BalancedMixUpClassifier, loss=WEIGHTED),
    "triplets": partial(MetricLearningClassifier, loss=WEIGHTED, metric=TripletTerm),
}


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    image = torch.randn(2, 8, 3, 32, 32, generator=generator)
    # The first device has none of the rarest class, the second most of it.
    label = torch.tensor([[0, 0, 1, 0, 0, 2, 2, 1], [2, 1, 0, 1, 2, 0, 0, 0]])
    return {"image": image[0], "label": label[0], "other": {"image": image[1], "label": label[1]}}


def half(batch, device):
    """What a device has of a batch."""
    return {
        name: half(part, device) if isinstance(part, dict) else part[device::2].clone() for name, part in batch.items()
    }


def on_two(model, batch, monkeypatch):
    """The losses of two devices, each of which gathers what the other one has; their own random numbers differ."""
    sent: tuple[list, list] = ([], [])
    for _ in range(3):  # what is gathered first decides what is gathered next
        before, sent, losses = sent, ([], []), []
        for device in (0, 1):
            others = iter(before[1 - device])

            def gather(tensor, device=device, others=others, sent=sent):
                sent[device].append(tensor.detach())
                pair = [tensor, next(others, tensor.detach())]
                return torch.stack(pair[::-1] if device else pair, dim=1).flatten(0, 1)

            model.gather = gather
            monkeypatch.setattr(LightningModule, "global_rank", device)
            torch.manual_seed(device)
            losses.append(model.training_step(half(batch, device), 0))
    return losses


@pytest.mark.parametrize("name", MODULES)
def test_loss_and_gradient_are_those_of_one_device(name, batch, monkeypatch):
    torch.manual_seed(0)
    model = MODULES[name](class_counts=COUNTS, class_names=NAMES, backbone="test_efficientnet_ln").double()
    model.set_epoch(3, 4)
    model.log_loss = lambda *_: None
    batch["image"], batch["other"]["image"] = batch["image"].double(), batch["other"]["image"].double()
    whole = model.training_step(batch, 0)
    whole.backward()
    expected = {key: value.grad.clone() for key, value in model.named_parameters() if value.grad is not None}
    model.zero_grad()
    losses = on_two(model, batch, monkeypatch)
    for loss in losses:
        torch.testing.assert_close(loss, whole)
        loss.backward()  # of the images of this device; torch adds up what the gathers send back
    for key, value in model.named_parameters():
        if key in expected and not key.startswith("metric."):
            torch.testing.assert_close(value.grad, expected[key], msg=key)
