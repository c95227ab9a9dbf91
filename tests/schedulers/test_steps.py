"""The schedule steps against its equation, and what it refuses."""

from functools import partial

import pytest
from schedule_oracles import new_optimizer, rates

from lightning_imbal.schedulers import Steps


class TestSteps:
    @pytest.mark.parametrize("max_epochs", [4, 10, 30, 200])
    @pytest.mark.parametrize("at, gamma", [((0.25, 0.5, 0.75), 0.1), ((0.8, 0.9), 0.01), ((), 0.1), ((0.5, 0.5), 0.3)])
    def test_against_the_definition(self, max_epochs: int, at: tuple[float, ...], gamma: float):
        expected = []
        for epoch in range(max_epochs):
            passed = sum(epoch >= round(fraction * max_epochs) for fraction in at)
            expected.append(0.1 * gamma**passed)
        found = rates(partial(Steps, at=at, gamma=gamma), max_epochs, 0.1)
        assert [rate for (rate,) in found] == pytest.approx(expected, rel=1e-12)

    def test_by_hand(self):
        # The recipe of Chen et al.: a tenth after every 50 of 200 epochs.
        found = [rate for (rate,) in rates(Steps, 200, 1e-3)]
        expected = [1e-3] * 50 + [1e-4] * 50 + [1e-5] * 50 + [1e-6] * 50
        assert found == pytest.approx(expected, rel=1e-12)

    @pytest.mark.parametrize("max_epochs", [1, 2])
    def test_first_epoch_of_a_short_run_has_the_base_rate(self, max_epochs: int):
        assert rates(Steps, max_epochs, 0.1)[0] == (0.1,)

    @pytest.mark.parametrize("fraction", [-0.1, 1.1, 50.0])
    def test_points_are_fractions(self, fraction: float):
        with pytest.raises(ValueError, match=f"at must be in 0..1, but is {fraction}"):
            Steps(new_optimizer(0.1), 10, at=(0.5, fraction))
