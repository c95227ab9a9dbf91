"""Logit adjusted loss against a slow oracle, its limits and its edge cases."""

import math

import pytest
import torch
import torch.nn.functional as F
from loss_oracles import COUNTS, EQUAL, random_logits, softmax, value_of, weighted_or_not

from lightning_imbal.losses import LogitAdjusted


class TestLogitAdjusted:
    @weighted_or_not
    @pytest.mark.parametrize("tau", [0.5, 1.0])
    def test_against_the_equation(self, tau: float, sample_weight: list[float] | None):
        logits, label = random_logits()
        terms = []
        for row, y, w in zip(logits.tolist(), label.tolist(), sample_weight or [1.0] * 8, strict=True):
            shifted = [score + tau * math.log(n / 100) for score, n in zip(row, COUNTS.tolist(), strict=True)]
            terms.append(w * -math.log(softmax(shifted)[y]))
        value = value_of(LogitAdjusted(COUNTS, tau), sample_weight, logits, label)
        assert value == pytest.approx(sum(terms) / 8, abs=1e-10)

    def test_by_hand(self):
        # Equal logits leave the prior: -log(10 / 100).
        loss = LogitAdjusted(COUNTS)(torch.zeros(1, 3, dtype=torch.float64), torch.tensor([2]))
        assert loss.item() == pytest.approx(math.log(10), abs=1e-12)

    @pytest.mark.parametrize("loss", [LogitAdjusted(COUNTS, tau=0.0), LogitAdjusted(EQUAL)])
    def test_limits_are_plain_cross_entropy(self, loss: LogitAdjusted):
        logits, label = random_logits()
        torch.testing.assert_close(loss(logits, label), F.cross_entropy(logits, label))

    def test_tau_outside_its_range(self):
        with pytest.raises(ValueError, match="^tau must not be negative"):
            LogitAdjusted(COUNTS, tau=-1.0)
