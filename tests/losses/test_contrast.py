"""The sum that the contrastive losses share, against a slow oracle."""

import math

import pytest
import torch
from torch import Tensor

from lightning_imbal.losses.contrast import pull_to_positives


def pull_oracle(
    similarity: Tensor, positive: Tensor, keep: Tensor, log_divisor: Tensor | None, weight: Tensor | None
) -> float:
    anchor_losses = []
    for i, row in enumerate(similarity.tolist()):
        positives = [j for j in range(len(row)) if positive[i, j]]
        if positives:
            divisor = [1.0 if log_divisor is None else math.exp(log_divisor[i, k]) for k in range(len(row))]
            denominator = sum(math.exp(row[k]) / divisor[k] for k in range(len(row)) if keep[i, k])
            share = [1.0] * len(row) if weight is None else weight.tolist()
            terms = [share[j] * math.log(math.exp(row[j]) / denominator) for j in positives]
            anchor_losses.append(-sum(terms) / len(positives))
    return sum(anchor_losses) / len(anchor_losses)


class TestPullToPositives:
    # The second anchor has no positive; the third has one that its denominator leaves out.
    POSITIVE = torch.tensor([[0, 1, 1, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 1]], dtype=torch.bool)
    KEEP = torch.tensor([[0, 1, 1, 1, 1], [1, 0, 1, 1, 0], [1, 1, 0, 1, 0]], dtype=torch.bool)
    LOG_DIVISOR = torch.linspace(0, 2, 15, dtype=torch.float64).reshape(3, 5)
    WEIGHT = torch.tensor([0.5, 2.0, 0.0, 1.0, 3.0], dtype=torch.float64)
    SIMILARITY = torch.linspace(-3, 4, 15, dtype=torch.float64).cos().reshape(3, 5) * 10

    @pytest.mark.parametrize("log_divisor", [None, LOG_DIVISOR], ids=["sum", "divided"])
    @pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
    def test_against_the_equation(self, log_divisor: Tensor | None, weight: Tensor | None):
        args = (self.POSITIVE, self.KEEP, log_divisor, weight)
        value = pull_to_positives(self.SIMILARITY, *args)
        assert value.item() == pytest.approx(pull_oracle(self.SIMILARITY, *args), abs=1e-12)
        similarity = self.SIMILARITY.clone().requires_grad_()
        assert torch.autograd.gradcheck(lambda x: pull_to_positives(x, *args), similarity)

    def test_by_hand(self):
        similarity = torch.tensor([[7.0, math.log(2), math.log(3)]], dtype=torch.float64)
        positive, keep = torch.tensor([[False, True, False]]), torch.tensor([[False, True, True]])
        assert pull_to_positives(similarity, positive, keep).item() == pytest.approx(math.log(5 / 2), abs=1e-12)

    def test_points_that_are_not_kept_have_no_say(self):
        similarity = self.SIMILARITY.masked_fill(~(self.KEEP | self.POSITIVE), 1e4).requires_grad_()
        value = pull_to_positives(similarity, self.POSITIVE, self.KEEP)
        value.backward()
        expected = pull_to_positives(self.SIMILARITY, self.POSITIVE, self.KEEP)
        torch.testing.assert_close(value, expected, rtol=0, atol=1e-12)
        assert not similarity.grad[~(self.KEEP | self.POSITIVE)].any()

    def test_anchor_that_keeps_nothing(self):
        keep = self.KEEP.clone()
        keep[1] = False
        similarity = self.SIMILARITY.clone().requires_grad_()
        value = pull_to_positives(similarity, self.POSITIVE, keep)
        value.backward()
        expected = pull_to_positives(self.SIMILARITY, self.POSITIVE, self.KEEP)
        torch.testing.assert_close(value, expected, rtol=0, atol=1e-12)
        assert similarity.grad.isfinite().all()
        assert not similarity.grad[1].any()
