"""The sampler progressive balance: what it draws, and what it refuses."""

import pytest
import torch
from sampler_draws import LABELS, SIZES, draw, frequencies, progressive


class TestProgressiveBalance:
    @pytest.mark.parametrize("max_epochs", [1, 2, 5])
    def test_frequencies(self, max_epochs: int):
        for epoch in range(max_epochs):
            t = epoch / (max_epochs - 1) if max_epochs > 1 else 0.0
            expected = torch.tensor([(1 - t) * SIZES[c] / 32 + t / 3 if c in SIZES else 0.0 for c in range(4)])
            drawn = []
            for seed in range(1000):
                sampler = progressive(max_epochs, seed)
                drawn.append(draw(sampler, epoch))
            drawn = torch.cat(drawn)
            torch.testing.assert_close(frequencies(LABELS[drawn], 4), expected, rtol=0, atol=0.01)
            of_image = (expected / torch.bincount(LABELS))[LABELS]
            torch.testing.assert_close(frequencies(drawn, 32), of_image, rtol=0, atol=0.005)

    def test_by_hand(self):
        # Half way the probabilities of the classes are (17/32 + 1/3) / 2, (5/32 + 1/3) / 2 and (10/32 + 1/3) / 2.
        drawn = torch.cat([LABELS[draw(progressive(3, seed), 1)] for seed in range(2000)])
        found = frequencies(drawn, 4)[[0, 2, 3]]
        torch.testing.assert_close(found, torch.tensor([83, 47, 62]) / 192, rtol=0, atol=0.01)

    def test_draws_with_replacement(self):
        assert len(progressive()) == 32
        assert draw(progressive(), 0).unique().numel() < 32

    def test_stays_balanced_after_the_last_epoch(self):
        drawn = torch.cat([LABELS[draw(progressive(2, seed), 5)] for seed in range(1000)])
        torch.testing.assert_close(frequencies(drawn, 4), torch.tensor([1, 0, 1, 1]) / 3, rtol=0, atol=0.01)
