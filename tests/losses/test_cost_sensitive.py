"""The cost-sensitive loss against a slow oracle, a number by hand, its limits and its edge cases."""

import math

import pytest
import torch
import torch.nn.functional as F
from loss_oracles import COUNTS, random_logits, softmax, value_of, weighted_or_not

from lightning_imbal.losses import CostSensitive


class TestCostSensitive:
    @weighted_or_not
    def test_against_the_equation(self, sample_weight):
        logits, label = random_logits(num_classes=4)
        total = 0.0
        for row, y, w in zip(logits.tolist(), label.tolist(), sample_weight or [1.0] * 8, strict=True):
            p = softmax(row)
            cost = sum(((y - c) / 3) ** 2 * p[c] for c in range(4))
            total += w * (-math.log(p[y]) + 2.5 * cost)
        value = value_of(CostSensitive(torch.ones(4), cost_weight=2.5), sample_weight, logits, label)
        assert value == pytest.approx(total / 8, abs=1e-10)

    def test_by_hand(self):
        # All three grades alike: log 3, and of the first grade 10 * (0 + 1/4 + 1) / 3, of the middle one 10 * 2/4 / 3.
        losses = [CostSensitive(COUNTS)(torch.zeros(1, 3), torch.tensor([label])).item() for label in (0, 1)]
        assert losses == pytest.approx([math.log(3) + 12.5 / 3, math.log(3) + 5 / 3])

    def test_no_cost_is_cross_entropy(self):
        logits, label = random_logits()
        torch.testing.assert_close(CostSensitive(COUNTS, 0.0)(logits, label), F.cross_entropy(logits, label))

    def test_negative_cost_is_refused(self):
        with pytest.raises(ValueError, match="^cost_weight must not be negative, but is -1"):
            CostSensitive(COUNTS, cost_weight=-1)
