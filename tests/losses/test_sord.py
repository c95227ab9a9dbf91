"""SORD against a slow oracle, a number by hand, its limits and its edge cases."""

import math

import pytest
import torch
import torch.nn.functional as F
from loss_oracles import COUNTS, random_logits, softmax, value_of, weighted_or_not

from lightning_imbal.losses import SORD


class TestSORD:
    @weighted_or_not
    @pytest.mark.parametrize("distance, exponent", [("absolute", 1), ("squared", 2)])
    def test_against_the_equation(self, distance, exponent, sample_weight):
        logits, label = random_logits()
        total = 0.0
        for row, y, w in zip(logits.tolist(), label.tolist(), sample_weight or [1.0] * 8, strict=True):
            soft = softmax([-0.7 * abs(y - c) ** exponent for c in range(3)])
            total -= w * sum(q * math.log(p) for q, p in zip(soft, softmax(row), strict=True))
        assert value_of(SORD(COUNTS, distance, 0.7), sample_weight, logits, label) == pytest.approx(
            total / 8, abs=1e-10
        )

    def test_soft_label_by_hand(self):
        # 1, 1/2 and 1/16 of a sum of 25/16, and 1/2, 1, 1/2 of 2.
        label = SORD(COUNTS, "squared", math.log(2)).soft_label
        assert label[0].tolist() == pytest.approx([0.64, 0.32, 0.04])
        assert label[1].tolist() == pytest.approx([0.25, 0.5, 0.25])

    def test_large_scale_is_cross_entropy(self):
        logits, label = random_logits()
        torch.testing.assert_close(SORD(COUNTS, scale=50.0)(logits, label), F.cross_entropy(logits, label))

    def test_arguments_outside_their_range(self):
        with pytest.raises(ValueError, match="^scale must be positive, but is 0"):
            SORD(COUNTS, scale=0)
        with pytest.raises(ValueError, match="^distance must be absolute or squared, but is 'l1'"):
            SORD(COUNTS, distance="l1")
