"""The schedule cosine against its equation, and what it refuses."""

import math
from functools import partial
from itertools import pairwise

import pytest
import torch
from schedule_oracles import new_optimizer, rates
from torch.optim.lr_scheduler import CosineAnnealingLR

from lightning_imbal.schedulers import CosineCycles, WarmupCosine


def half_cosine(base: float, eta_min: float, epoch: int, epochs: int) -> float:
    return eta_min + 0.5 * (base - eta_min) * (1 + math.cos(math.pi * epoch / epochs))


class TestWarmupCosine:
    @pytest.mark.parametrize("start, eta_min", [(0.0, 1e-6), (0.1, 0.0), (1.0, 1e-3)])
    @pytest.mark.parametrize("warmup", [0.0, 0.05, 0.3, 1.0])
    @pytest.mark.parametrize("max_epochs", [1, 2, 3, 10, 100])
    def test_against_the_equation(self, max_epochs: int, warmup: float, start: float, eta_min: float):
        warm_epochs, expected = round(warmup * max_epochs), []
        for epoch in range(max_epochs):
            if epoch < warm_epochs:
                expected.append(0.1 * (start + (1 - start) * (epoch + 1) / warm_epochs))
            else:
                expected.append(half_cosine(0.1, eta_min, epoch - warm_epochs, max_epochs - warm_epochs))
        found = rates(partial(WarmupCosine, warmup=warmup, start=start, eta_min=eta_min), max_epochs, 0.1)
        assert [rate for (rate,) in found] == pytest.approx(expected, rel=1e-12)

    def test_by_hand(self):
        # The recipe of Zeng et al.: five of 100 epochs to 0.001, then down to 1e-6.
        found = [rate for (rate,) in rates(WarmupCosine, 100, 1e-3)]
        assert found[:6] == pytest.approx([2e-4, 4e-4, 6e-4, 8e-4, 1e-3, 1e-3], rel=1e-12)
        assert all(later < earlier for earlier, later in pairwise(found[5:]))
        assert 1e-6 < found[-1] < 2e-6

    def test_without_warm_up_it_is_that_of_torch(self):
        found = rates(partial(WarmupCosine, warmup=0.0, eta_min=1e-4), 9, 0.1, 0.02)
        expected = rates(partial(CosineAnnealingLR, eta_min=1e-4), 9, 0.1, 0.02)
        torch.testing.assert_close(torch.tensor(found).double(), torch.tensor(expected).double())

    def test_falls_to_eta_min_after_the_last_epoch(self):
        optimizer = new_optimizer(0.1)
        scheduler = WarmupCosine(optimizer, 8, warmup=0.25, eta_min=1e-3)
        for _ in range(8):
            optimizer.step()
            scheduler.step()
        assert optimizer.param_groups[0]["lr"] == pytest.approx(1e-3, rel=1e-12)

    @pytest.mark.parametrize("warmup", [-0.1, 1.1])
    def test_warm_up_is_a_fraction(self, warmup: float):
        with pytest.raises(ValueError, match=f"warmup must be in 0..1, but is {warmup}"):
            WarmupCosine(new_optimizer(0.1), 10, warmup)


class TestCosineCycles:
    @pytest.mark.parametrize("eta_min", [0.0, 1e-3])
    @pytest.mark.parametrize("cycles", [1, 2, 3, 5, 12])
    @pytest.mark.parametrize("max_epochs", [1, 2, 5, 10, 30])
    def test_against_the_equation(self, max_epochs: int, cycles: int, eta_min: float):
        starts = sorted({math.ceil(k * max_epochs / cycles) for k in range(cycles)} | {max_epochs})
        expected = [
            half_cosine(0.1, eta_min, epoch, end - start)
            for start, end in pairwise(starts)
            for epoch in range(end - start)
        ]
        found = rates(partial(CosineCycles, cycles=cycles, eta_min=eta_min), max_epochs, 0.1)
        assert [rate for (rate,) in found] == pytest.approx(expected, rel=1e-12)

    def test_by_hand(self):
        found = [rate for (rate,) in rates(partial(CosineCycles, cycles=2), 5, 1.0)]
        assert found == pytest.approx([1.0, 0.75, 0.25, 1.0, 0.5], rel=1e-12)

    def test_one_cycle_is_that_of_torch(self):
        found, expected = rates(CosineCycles, 9, 0.1, 0.02), rates(CosineAnnealingLR, 9, 0.1, 0.02)
        torch.testing.assert_close(torch.tensor(found).double(), torch.tensor(expected).double())

    def test_cycles_are_equally_long(self):
        found = [rate for (rate,) in rates(partial(CosineCycles, cycles=3), 30, 0.1)]
        assert found == found[:10] * 3

    def test_refused_cycles(self):
        with pytest.raises(ValueError, match="cycles must be at least 1, but is 0"):
            CosineCycles(new_optimizer(0.1), 10, cycles=0)
