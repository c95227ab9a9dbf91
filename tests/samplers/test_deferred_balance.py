"""The sampler deferred balance: what it draws, and what it refuses."""

import pytest
import torch
from sampler_draws import LABELS, deferred, draw, frequencies

from lightning_imbal.samplers import ClassPower, DeferredBalance


class TestDeferredBalance:
    @pytest.mark.parametrize("max_epochs, start, switch", [(10, 0.8, 8), (7, 0.8, 6), (3, 0.0, 0), (3, 1.0, 3)])
    def test_switches_at_the_stated_epoch(self, max_epochs: int, start: float, switch: int):
        sampler = deferred(max_epochs, start, seed=0)
        for epoch in range(max_epochs):
            twin = ClassPower(LABELS, q=0 if epoch >= switch else 1, seed=0)
            drawn = draw(sampler, epoch)
            assert torch.equal(drawn, draw(twin, epoch))
            assert (drawn.unique().numel() == 32) == (epoch < switch)

    def test_frequencies_after_the_switch(self):
        sampler = deferred(max_epochs=1000, start=0.0, seed=0)
        drawn = LABELS[torch.cat([draw(sampler, epoch) for epoch in range(1000)])]
        torch.testing.assert_close(frequencies(drawn, 4), torch.tensor([1, 0, 1, 1]) / 3, rtol=0, atol=0.01)

    @pytest.mark.parametrize("start", [-0.1, 1.1])
    def test_start_is_a_fraction(self, start: float):
        with pytest.raises(ValueError, match="start must be in 0..1"):
            DeferredBalance(LABELS, start)
