"""Label smoothing of the cross-entropy against a slow oracle."""

import math

import pytest
import torch
import torch.nn.functional as F
from loss_oracles import COUNTS, random_logits, softmax, value_of, weighted_or_not

from lightning_imbal.losses import CrossEntropy


class TestLabelSmoothing:
    @pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
    def test_weighted_mean_is_that_of_torch(self, smoothing: float):
        logits, label = random_logits()
        loss = CrossEntropy(COUNTS, "inverse", label_smoothing=smoothing)
        expected = F.cross_entropy(logits, label, weight=loss.class_weight, label_smoothing=smoothing)
        torch.testing.assert_close(loss(logits, label), expected, rtol=0, atol=1e-12)

    @weighted_or_not
    @pytest.mark.parametrize("reduction", ["weighted_mean", "batch_mean"])
    def test_against_the_equation(self, reduction: str, sample_weight: list[float] | None):
        logits, label = random_logits()
        loss = CrossEntropy(COUNTS, "inverse", reduction=reduction, label_smoothing=0.3)
        weights, total, divisor = loss.class_weight.tolist(), 0.0, 0.0
        for row, y, w in zip(logits.tolist(), label.tolist(), sample_weight or [1.0] * 8, strict=True):
            for c, p in enumerate(softmax(row)):
                target = 0.3 / 3 + (0.7 if c == y else 0.0)
                total += w * target * weights[c] * -math.log(p)
            divisor += weights[y] if reduction == "weighted_mean" else 1.0
        assert value_of(loss, sample_weight, logits, label) == pytest.approx(total / divisor, abs=1e-10)

    @pytest.mark.parametrize("smoothing", [-0.1, 1.1, math.nan])
    def test_outside_its_range(self, smoothing: float):
        with pytest.raises(ValueError, match="^label_smoothing must lie between 0 and 1"):
            CrossEntropy(COUNTS, label_smoothing=smoothing)
