"""The cross-entropy that the contrastive losses share, against a slow oracle."""

import math

import pytest
import torch
from torch import Tensor

from lightning_imbal.losses import SupConLoss
from lightning_imbal.losses.contrast import LEFT_OUT, pull_to_positives


def pull_oracle(score: Tensor, positive: Tensor, weight: Tensor | None, log_divisor: Tensor | None) -> float:
    anchor_losses = []
    for i, row in enumerate(score.tolist()):
        positives = [j for j in range(len(row)) if positive[i, j]]
        if positives:
            denominator = sum(math.exp(each) for each in row)
            divisor = 1.0 if log_divisor is None else math.exp(log_divisor[i])
            share = [1.0] * len(row) if weight is None else weight.tolist()
            terms = [share[j] * math.log(math.exp(row[j]) * divisor / denominator) for j in positives]
            anchor_losses.append(-sum(terms) / len(positives))
    return sum(anchor_losses) / len(anchor_losses)


class TestPullToPositives:
    # The second anchor has no positive.
    POSITIVE = torch.tensor([[0, 1, 1, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 1, 0]], dtype=torch.bool)
    KEEP = torch.tensor([[0, 1, 1, 1, 1], [1, 0, 1, 1, 0], [1, 1, 0, 1, 0]], dtype=torch.bool)
    LOG_DIVISOR = torch.tensor([0.7, 0.0, 1.3], dtype=torch.float64)
    WEIGHT = torch.tensor([0.5, 2.0, 0.0, 1.0, 3.0], dtype=torch.float64)
    SCORE = (torch.linspace(-3, 4, 15, dtype=torch.float64).cos().reshape(3, 5) * 10).masked_fill(~KEEP, LEFT_OUT)

    @pytest.mark.parametrize(("weight", "log_divisor"), [(None, None), (WEIGHT, None), (None, LOG_DIVISOR)])
    def test_against_the_equation(self, weight: Tensor | None, log_divisor: Tensor | None):
        args = (self.POSITIVE, weight, log_divisor)
        assert pull_to_positives(self.SCORE, *args).item() == pytest.approx(pull_oracle(self.SCORE, *args), abs=1e-12)
        score = torch.randn(3, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
        assert torch.autograd.gradcheck(lambda x: pull_to_positives(x, *args), score)
        assert torch.autograd.gradgradcheck(lambda x: pull_to_positives(x, *args), score)

    def test_by_hand(self):
        score = torch.tensor([[LEFT_OUT, math.log(2), math.log(3)]], dtype=torch.float64)
        positive = torch.tensor([[False, True, False]])
        assert pull_to_positives(score, positive).item() == pytest.approx(math.log(5 / 2), abs=1e-12)

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_points_that_are_left_out_have_no_say(self, dtype: torch.dtype):
        score = self.SCORE.to(dtype, copy=True).requires_grad_()
        pull_to_positives(score, self.POSITIVE).backward()
        assert not score.grad[~self.KEEP].any() and score.grad[[0, 2]][self.KEEP[[0, 2]]].all()

    def test_anchor_that_leaves_out_everything(self):
        score = self.SCORE.clone()
        score[1] = LEFT_OUT
        score.requires_grad_()
        value = pull_to_positives(score, self.POSITIVE)
        value.backward()
        torch.testing.assert_close(value, pull_to_positives(self.SCORE, self.POSITIVE), rtol=0, atol=1e-12)
        assert score.grad.isfinite().all() and not score.grad[1].any()


def test_two_tensors_of_the_size_of_the_similarities_are_kept_for_the_gradient():
    kept = []
    point = torch.randn(50, 3, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(lambda tensor: kept.append(tensor.numel()) or tensor, lambda x: x):
        SupConLoss()(point, torch.arange(50) % 4)
    # The logarithms of the shares and the mask of the positives.
    assert sum(number for number in kept if number >= 50 * 50) == 2 * 50 * 50
