"""Class weights by hand, and their limits."""

import math

import pytest
import torch
from loss_oracles import COUNTS

from lightning_imbal.losses import effective_number_weights, inverse_frequency_weights


class TestWeights:
    def test_by_hand(self):
        inverse = inverse_frequency_weights(torch.tensor([1, 3]))
        torch.testing.assert_close(inverse, torch.tensor([1.5, 0.5], dtype=torch.float64))
        # Effective numbers at beta = 0.5 are 1 and 1.5, so the weights are as 3 to 2.
        effective = effective_number_weights(torch.tensor([1, 2]), beta=0.5)
        torch.testing.assert_close(effective, torch.tensor([1.2, 0.8], dtype=torch.float64))

    def test_effective_number_formula(self):
        weights = [(1 - 0.99) / (1 - 0.99**n) for n in COUNTS.tolist()]
        expected = [3 * weight / sum(weights) for weight in weights]
        assert effective_number_weights(COUNTS, beta=0.99).tolist() == pytest.approx(expected, rel=1e-12)

    def test_limits(self):
        ones = torch.ones(3, dtype=torch.float64)
        torch.testing.assert_close(inverse_frequency_weights(COUNTS, power=0.0), ones)
        torch.testing.assert_close(effective_number_weights(COUNTS, beta=0.0), ones)
        inverse = inverse_frequency_weights(COUNTS)
        torch.testing.assert_close(effective_number_weights(COUNTS, beta=1.0), inverse)
        torch.testing.assert_close(effective_number_weights(COUNTS, beta=1 - 1e-15), inverse, rtol=1e-12, atol=0)

    @pytest.mark.parametrize("beta", [-0.1, 1.1, math.nan])
    def test_beta_outside_its_range(self, beta: float):
        with pytest.raises(ValueError, match="between 0 and 1"):
            effective_number_weights(COUNTS, beta)
