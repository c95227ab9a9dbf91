"""What every loss that re-balances does: shapes, types, gradients, edge cases."""

from functools import partial

import pytest
import torch
from loss_oracles import COUNTS, random_logits
from torch import Tensor

from lightning_imbal.losses import (
    BWCE,
    LDAM,
    MWNL,
    OHEM,
    SORD,
    ClassBalancedFocal,
    CoralLoss,
    CornLoss,
    CostSensitive,
    CrossEntropy,
    Deferred,
    Focal,
    LogitAdjusted,
)


def deferred_late(class_counts: Tensor) -> Deferred:
    loss = Deferred(class_counts, LDAM)
    loss.set_epoch(10, 10)
    return loss


EVERY_LOSS = {
    "focal": Focal,
    "focal below 1": partial(Focal, gamma=0.5),
    "sigmoid focal": partial(Focal, form="sigmoid"),
    "class-balanced focal": ClassBalancedFocal,
    "class-balanced softmax focal": partial(ClassBalancedFocal, form="softmax"),
    "ldam": LDAM,
    "logit adjusted": LogitAdjusted,
    "mwnl fix": MWNL,
    "mwnl zero": partial(MWNL, clip="zero"),
    "mwnl decrease": partial(MWNL, clip="decrease"),
    "mwnl unclipped": partial(MWNL, clip="decrease", beta=0.0),
    "mwnl normal": partial(MWNL, reduction="normal"),
    "ohem": OHEM,
    "bwce": BWCE,
    "deferred": deferred_late,
    "coral": CoralLoss,
    "coral by imbalance": partial(CoralLoss, importance="imbalance"),
    "corn": CornLoss,
    "sord": SORD,
    "cost-sensitive": CostSensitive,
    "smooth cross-entropy": partial(CrossEntropy, weight="inverse", label_smoothing=0.1),
}
every_loss = pytest.mark.parametrize("factory", EVERY_LOSS.values(), ids=EVERY_LOSS.keys())


class TestEveryLoss:
    @every_loss
    def test_gradient(self, factory):
        logits, label = random_logits()
        sample_weight = torch.linspace(0.1, 1, 8, dtype=torch.float64)
        assert torch.autograd.gradcheck(lambda x: factory(COUNTS)(x, label, sample_weight), logits.requires_grad_())

    @every_loss
    def test_sample_weight_is_no_part_of_the_divisor(self, factory):
        logits, label = random_logits()
        halves = torch.full((8,), 0.5, dtype=torch.float64)
        torch.testing.assert_close(factory(COUNTS)(logits, label, halves), factory(COUNTS)(logits, label) / 2)

    @every_loss
    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
    def test_half_precision_is_computed_in_float32(self, factory, dtype: torch.dtype):
        logits, label = random_logits(scale=1000)
        logits = logits.to(dtype).requires_grad_()
        value = factory(COUNTS)(logits, label)
        value.backward()
        assert value.dtype == torch.float32
        torch.testing.assert_close(value, factory(COUNTS)(logits.float(), label))
        assert logits.grad.isfinite().all()

    @every_loss
    def test_autocast_changes_nothing(self, factory):
        logits, label = random_logits()
        outside = factory(COUNTS)(logits.float(), label)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            torch.testing.assert_close(factory(COUNTS)(logits.float(), label), outside, rtol=0, atol=0)

    @every_loss
    @pytest.mark.parametrize("score", [100.0, -100.0])
    def test_sure_samples_have_finite_gradients(self, factory, score: float):
        label = torch.arange(3)
        logits = (score * torch.eye(3)).requires_grad_()
        value = factory(COUNTS)(logits, label)
        value.backward()
        assert value.isfinite()
        assert logits.grad.isfinite().all()

    @every_loss
    def test_class_absent_from_batch(self, factory):
        logits, _ = random_logits(4)
        value = factory(COUNTS)(logits.requires_grad_(), torch.tensor([0, 0, 2, 0]))
        value.backward()
        assert value.item() > 0
        assert logits.grad.isfinite().all()

    @every_loss
    def test_empty_class_is_named(self, factory):
        with pytest.raises(ValueError, match="class label 1:"):
            factory(torch.tensor([5, 0, 2]))
