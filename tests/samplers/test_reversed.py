"""The sampler reversed: what it draws, and what it refuses."""

import pytest
import torch
from sampler_draws import LABELS, SIZES, frequencies

from lightning_imbal.samplers import Reversed


class TestReversed:
    def test_frequencies(self):
        drawn = torch.tensor(list(Reversed(LABELS, length=200_000, seed=0)))
        ratio = torch.tensor([17 / SIZES[c] if c in SIZES else 0.0 for c in range(4)])
        expected = ratio / ratio.sum()
        torch.testing.assert_close(frequencies(LABELS[drawn], 4), expected, rtol=0, atol=0.01)
        torch.testing.assert_close(
            frequencies(drawn, 32), (expected / torch.bincount(LABELS))[LABELS], rtol=0, atol=0.003
        )

    def test_length(self):
        assert len(list(Reversed(LABELS))) == 32
        assert len(list(Reversed(LABELS, length="max"))) == 17 * 3
        with pytest.raises(ValueError, match="length must be at least 1"):
            Reversed(LABELS, length=0)
