"""The schedule plateau against its equation, and what it refuses."""

import io
from functools import partial

import pytest
import torch
from schedule_oracles import SchedulerFactory, new_optimizer

from lightning_imbal.schedulers import Plateau


class TestPlateau:
    @staticmethod
    def rates(scores: list[float], make: SchedulerFactory = Plateau, base: float = 0.1) -> list[float]:
        """The rate after each score."""
        optimizer = new_optimizer(base)
        scheduler, found = make(optimizer, len(scores)), []
        for score in scores:
            optimizer.step()
            scheduler.step(score)
            found.append(optimizer.param_groups[0]["lr"])
        return found

    def test_falls_when_the_third_epoch_in_turn_is_not_better(self):
        scores = [0.1, 0.3, 0.3, 0.2, 0.4, 0.4, 0.3, 0.4, 0.1]
        assert self.rates(scores) == pytest.approx([0.1] * 7 + [0.01] * 2, rel=1e-12)

    def test_lowest_score_may_be_the_best(self):
        scores = [4.0, 3.0, 2.0, 1.0, 1.5, 1.2]
        lowest = partial(Plateau, mode="min", factor=0.5, patience=1)
        assert self.rates(scores, lowest) == pytest.approx([0.1] * 5 + [0.05], rel=1e-12)

    @pytest.mark.parametrize("base", [1.0, 1e-7])
    def test_stays_above_a_fraction_of_the_base_rate(self, base: float):
        found = self.rates([0.5] * 20, partial(Plateau, patience=0, min_factor=0.02), base)
        assert found == pytest.approx([base] + [0.1 * base] + [0.02 * base] * 18, rel=1e-12)

    def test_groups_have_base_rates_of_their_own(self):
        optimizer = new_optimizer(0.1, 0.004)
        scheduler = Plateau(optimizer, 10, patience=0, min_factor=0.01)
        for _ in range(10):
            optimizer.step()
            scheduler.step(0.5)
        assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([1e-3, 4e-5], rel=1e-12)

    @pytest.mark.parametrize("epoch", [1, 3, 4, 7])
    def test_resumes_through_its_state(self, epoch: int):
        scores = [0.1, 0.3, 0.2, 0.2, 0.2, 0.4, 0.3, 0.3, 0.3, 0.3]
        unbroken = self.rates(scores)
        optimizer = new_optimizer(0.1)
        scheduler = Plateau(optimizer, 10)
        for score in scores[:epoch]:
            scheduler.step(score)
        file = io.BytesIO()
        torch.save({"optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict()}, file)
        file.seek(0)
        state = torch.load(file, weights_only=True)
        optimizer = new_optimizer(0.1)
        scheduler = Plateau(optimizer, 10)
        optimizer.load_state_dict(state["optimizer"])
        scheduler.load_state_dict(state["scheduler"])
        for score, expected in zip(scores[epoch:], unbroken[epoch:], strict=True):
            scheduler.step(score)
            assert optimizer.param_groups[0]["lr"] == expected

    def test_names_the_score(self):
        assert Plateau(new_optimizer(0.1), 10).monitor == "val/kappa"
        assert Plateau(new_optimizer(0.1), 10, monitor="val/mcc").monitor == "val/mcc"

    def test_refused_arguments(self):
        with pytest.raises(ValueError, match="mode must be max or min, but is 'best'"):
            Plateau(new_optimizer(0.1), 10, mode="best")
        with pytest.raises(ValueError, match="factor must be between 0 and 1, but is 1.0"):
            Plateau(new_optimizer(0.1), 10, factor=1.0)
