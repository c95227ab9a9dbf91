"""Ldam loss against a slow oracle, its limits and its edge cases."""

import math

import pytest
import torch
import torch.nn.functional as F
from loss_oracles import COUNTS, EQUAL, random_logits, softmax, value_of, weighted_or_not

from lightning_imbal.losses import LDAM


class TestLDAM:
    @weighted_or_not
    def test_against_the_equation(self, sample_weight: list[float] | None):
        logits, label = random_logits()
        margins = [0.4 * n**-0.25 / 10**-0.25 for n in COUNTS.tolist()]
        terms = []
        for row, y, w in zip(logits.tolist(), label.tolist(), sample_weight or [1.0] * 8, strict=True):
            shifted = [score - (5 * margins[y] if c == y else 0.0) for c, score in enumerate(row)]
            terms.append(w * -math.log(softmax(shifted)[y]))
        value = value_of(LDAM(COUNTS, max_margin=0.4, scale=5.0), sample_weight, logits, label)
        assert value == pytest.approx(sum(terms) / 8, abs=1e-10)

    def test_by_hand(self):
        # Counts 16 and 1 have the margins 1/4 and 1/2; times the scale 2 they are 1/2 and 1.
        loss = LDAM(torch.tensor([16, 1]), scale=2.0)
        assert loss.margin.tolist() == pytest.approx([0.25, 0.5], abs=1e-12)
        logits = torch.tensor([[0.5, 0.0], [0.0, 1.0]], dtype=torch.float64)
        assert loss(logits, torch.tensor([0, 1])).item() == pytest.approx(math.log(2), abs=1e-12)

    def test_equal_counts_have_the_largest_margin(self):
        assert LDAM(EQUAL).margin.tolist() == [0.5, 0.5, 0.5]

    def test_no_margin_is_cross_entropy(self):
        logits, label = random_logits()
        torch.testing.assert_close(LDAM(COUNTS, max_margin=0.0)(logits, label), F.cross_entropy(logits, label))

    def test_arguments_outside_their_range(self):
        with pytest.raises(ValueError, match="^max_margin must not be negative"):
            LDAM(COUNTS, max_margin=-0.5)
        with pytest.raises(ValueError, match="^scale must be positive, but is 0"):
            LDAM(COUNTS, scale=0)
