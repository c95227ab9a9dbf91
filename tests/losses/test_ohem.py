"""Ohem loss against a slow oracle, its limits and its edge cases."""

import math

import pytest
import torch
import torch.nn.functional as F
from loss_oracles import COUNTS, random_logits, softmax, value_of, weighted_or_not

from lightning_imbal.losses import OHEM


class TestOHEM:
    @weighted_or_not
    @pytest.mark.parametrize("keep_ratio, min_kept, kept", [(0.7, 1, 6), (0.25, 1, 2), (0.25, 3, 3), (0.0, 1, 1)])
    def test_against_the_equation(self, keep_ratio: float, min_kept: int, kept: int, sample_weight: list[float] | None):
        logits, label = random_logits()
        terms = [
            w * -math.log(softmax(row)[y])
            for row, y, w in zip(logits.tolist(), label.tolist(), sample_weight or [1.0] * 8, strict=True)
        ]
        expected = sum(sorted(terms, reverse=True)[:kept]) / kept
        assert value_of(OHEM(COUNTS, keep_ratio, min_kept), sample_weight, logits, label) == pytest.approx(expected)

    def test_by_hand(self):
        # The cross-entropies are log 2 and log 4; the harder one is kept.
        logits = torch.tensor([[0.0, 0.0], [math.log(3), 0.0]], dtype=torch.float64)
        loss = OHEM(torch.tensor([1, 1]), keep_ratio=0.5)(logits, torch.tensor([0, 1]))
        assert loss.item() == pytest.approx(math.log(4), abs=1e-12)

    @pytest.mark.parametrize("loss", [OHEM(COUNTS, keep_ratio=1.0), OHEM(COUNTS, min_kept=100)])
    def test_whole_batch_is_cross_entropy(self, loss: OHEM):
        logits, label = random_logits()
        torch.testing.assert_close(loss(logits, label), F.cross_entropy(logits, label))

    @pytest.mark.parametrize("keep_ratio, batch, kept", [(0.7, 10, 7), (0.07, 100, 7), (0.28, 25, 7), (0.5, 3, 2)])
    def test_rounding_keeps_no_sample_too_many(self, keep_ratio: float, batch: int, kept: int):
        logits, label = random_logits(batch)
        logits.requires_grad_()
        OHEM(COUNTS, keep_ratio)(logits, label).backward()
        assert (logits.grad != 0).any(dim=1).sum() == kept

    def test_arguments_outside_their_range(self):
        with pytest.raises(ValueError, match="^keep_ratio must lie between 0 and 1"):
            OHEM(COUNTS, keep_ratio=1.2)
        with pytest.raises(ValueError, match="^min_kept must be at least 1, but is 0"):
            OHEM(COUNTS, min_kept=0)
