"""The predictor posthoc adjusted against a slow oracle, and its limits."""

import math

import pytest
import torch
from predictor_oracles import COUNTS, Given

from lightning_imbal.predictors import PostHocAdjusted


class TestPostHocAdjusted:
    @pytest.mark.parametrize("tau", [0.0, 1.0, 1.5])
    def test_against_the_equation(self, tau: float):
        logits = torch.randn(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        adjusted = PostHocAdjusted(COUNTS, tau)(Given(), logits)
        expected = [[z - tau * math.log(n / 111) for z, n in zip(row, [100, 10, 1], strict=True)] for row in logits]
        torch.testing.assert_close(adjusted, torch.tensor(expected, dtype=torch.float64), rtol=0, atol=1e-12)

    def test_by_hand(self):
        # A quarter of the images are of the second class; it gains log 4 and the first log 4/3.
        adjusted = PostHocAdjusted(torch.tensor([3, 1]))(Given(), torch.zeros(1, 2, dtype=torch.float64))
        expected = torch.tensor([[math.log(4 / 3), math.log(4)]], dtype=torch.float64)
        torch.testing.assert_close(adjusted, expected, rtol=0, atol=1e-12)

    def test_equal_counts_keep_the_probabilities(self):
        logits = torch.randn(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        adjusted = PostHocAdjusted(torch.tensor([7, 7, 7]))(Given(), logits)
        torch.testing.assert_close(adjusted.softmax(1), logits.softmax(1), rtol=0, atol=1e-12)

    def test_half_precision_is_adjusted_in_float32(self):
        logits = torch.tensor([[100.0, 1.0, 0.0]], dtype=torch.bfloat16)
        adjusted = PostHocAdjusted(COUNTS)(Given(), logits)
        assert adjusted.dtype == torch.float32
        torch.testing.assert_close(adjusted, PostHocAdjusted(COUNTS)(Given(), logits.float()), rtol=0, atol=0)
