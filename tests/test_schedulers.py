"""Learning rates of each epoch against slow oracles, after a resume and in a Trainer; the warm-up step by step."""

import io
import math
import warnings
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from jsonargparse import ArgumentParser
from lightning.pytorch import LightningModule, Trainer
from torch import nn
from torch.optim import SGD, Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, MultiStepLR
from torch.utils.data import DataLoader

from lightning_imbal.callbacks import LinearWarmup
from lightning_imbal.schedulers import CosineCycles, Plateau, Steps, WarmupCosine

SchedulerFactory = Callable[[Optimizer, int], LRScheduler]
FACTORIES = [
    WarmupCosine,
    partial(WarmupCosine, warmup=0.3, start=0.1),
    CosineCycles,
    partial(CosineCycles, cycles=3),
    Steps,
    partial(Steps, at=(0.2, 0.4, 0.7), gamma=0.5),
]


def new_optimizer(*base: float) -> SGD:
    return SGD([{"params": [nn.Parameter(torch.zeros(1))], "lr": lr} for lr in base], lr=1.0)


def rates(make: SchedulerFactory, max_epochs: int, *base: float) -> list[tuple[float, ...]]:
    """The rate of each parameter group in each epoch."""
    optimizer = new_optimizer(*base)
    scheduler, found = make(optimizer, max_epochs), []
    for _ in range(max_epochs):
        found.append(tuple(group["lr"] for group in optimizer.param_groups))
        optimizer.step()
        scheduler.step()
    return found


def half_cosine(base: float, eta_min: float, epoch: int, epochs: int) -> float:
    return eta_min + 0.5 * (base - eta_min) * (1 + math.cos(math.pi * epoch / epochs))


@pytest.mark.parametrize("make", FACTORIES)
class TestEverySchedule:
    @pytest.mark.parametrize("max_epochs", [1, 2, 3, 7, 20, 100])
    def test_no_warning_and_no_rate_outside_its_range(self, make, max_epochs: int):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = rates(make, max_epochs, 0.1)
        assert len(found) == max_epochs
        assert all(0 < rate <= 0.1 for (rate,) in found)

    def test_groups_have_base_rates_of_their_own(self, make):
        both = rates(make, 12, 0.1, 0.004)
        assert both == [(a, b) for (a,), (b,) in zip(rates(make, 12, 0.1), rates(make, 12, 0.004), strict=True)]
        assert all(a != b for a, b in both)

    @pytest.mark.parametrize("epoch", [1, 2, 5, 9])
    def test_resumes_through_its_state(self, make, epoch: int):
        unbroken = rates(make, 12, 0.1, 0.004)
        optimizer = new_optimizer(0.1, 0.004)
        scheduler = make(optimizer, 12)
        for _ in range(epoch):
            optimizer.step()
            scheduler.step()
        file = io.BytesIO()
        torch.save({"optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict()}, file)
        file.seek(0)
        state = torch.load(file, weights_only=True)

        optimizer = new_optimizer(0.1, 0.004)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            scheduler = make(optimizer, 12)
            optimizer.load_state_dict(state["optimizer"])
            scheduler.load_state_dict(state["scheduler"])
            for expected in unbroken[epoch:]:
                assert tuple(group["lr"] for group in optimizer.param_groups) == expected
                assert tuple(scheduler.get_last_lr()) == expected
                optimizer.step()
                scheduler.step()

    def test_number_of_epochs_has_to_be_known(self, make):
        with pytest.raises(ValueError, match="number of epochs, but max_epochs is -1: set trainer.max_epochs"):
            make(new_optimizer(0.1), -1)


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
        with pytest.raises(ValueError, match="factor must be below 1, but is 1.0"):
            Plateau(new_optimizer(0.1), 10, factor=1.0)


@pytest.mark.parametrize(
    "name, arguments, attribute, value",
    [
        ("WarmupCosine", {"warmup": 0.2}, "warmup_epochs", 2),
        ("CosineCycles", {"cycles": 2}, "cycles", 2),
        ("Steps", {"at": [0.5, 0.9]}, "milestones", {5: 1, 9: 1}),
        ("Plateau", {"monitor": "val/mcc"}, "monitor", "val/mcc"),
    ],
)
def test_class_name_in_a_yaml(name: str, arguments: dict, attribute: str, value: object):
    parser = ArgumentParser()
    parser.add_argument("--scheduler", type=SchedulerFactory)
    config = parser.parse_object({"scheduler": {"class_path": name, "init_args": arguments}})
    scheduler = parser.instantiate(config).scheduler(new_optimizer(0.1), 10)
    assert getattr(scheduler, attribute) == value


class Slope(LightningModule):
    """A weight whose gradient is always 1, so that every step of plain SGD lowers it by the rate."""

    def __init__(self, scheduler: SchedulerFactory | None = None) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros((), dtype=torch.float64))
        self.scheduler = scheduler
        self.weights: list[float] = []

    def training_step(self, batch: torch.Tensor, batch_idx: int) -> torch.Tensor:
        self.weights.append(self.weight.item())
        return self.weight * 1.0

    def configure_optimizers(self):
        optimizer = SGD(self.parameters(), lr=0.1)
        schedulers = [] if self.scheduler is None else [self.scheduler(optimizer, self.trainer.max_epochs)]
        return [optimizer], schedulers

    def rates(self) -> list[float]:
        """The rate of each step."""
        weights = [*self.weights, self.weight.item()]
        return [earlier - later for earlier, later in pairwise(weights)]


def run(module: Slope, path: Path, warmup: LinearWarmup, ckpt_path: Path | None = None, **kwargs) -> Trainer:
    quiet = {f"enable_{name}": False for name in ("checkpointing", "progress_bar", "model_summary")}
    options = {"accelerator": "cpu", "max_epochs": 3, "logger": False, "default_root_dir": path, **quiet, **kwargs}
    trainer = Trainer(callbacks=[warmup], **options)
    trainer.fit(module, DataLoader(torch.zeros(3), batch_size=1), ckpt_path=ckpt_path)
    return trainer


def multi_step(optimizer: Optimizer, max_epochs: int) -> MultiStepLR:
    return MultiStepLR(optimizer, milestones=[1, 2], gamma=0.5)


class TestLinearWarmup:
    @pytest.mark.parametrize("epochs", [0.5, 1.0, 1.6, 2.0, 9.0])
    @pytest.mark.parametrize("scheduler", [None, Steps, multi_step, CosineAnnealingLR, CosineCycles])
    def test_each_batch_has_its_share_of_the_scheduled_rate(
        self, scheduler: SchedulerFactory | None, epochs: float, tmp_path
    ):
        scheduled = rates(scheduler, 4, 0.1) if scheduler else [(0.1,)] * 4
        expected = [
            scheduled[epoch][0] * min((3 * epoch + batch + 1) / (3 * epochs), 1)
            for epoch in range(4)
            for batch in range(3)
        ]
        module = Slope(scheduler)
        run(module, tmp_path, LinearWarmup(epochs), max_epochs=4)
        assert module.rates() == pytest.approx(expected, rel=1e-9)

    def test_by_hand(self, tmp_path):
        # The recipe of Chen et al., with 3 batches in each of 4 epochs.
        module = Slope(Steps)
        run(module, tmp_path, LinearWarmup(), max_epochs=4)
        assert module.rates()[:6] == pytest.approx([0.1 / 3, 0.2 / 3, 0.1, 0.01, 0.01, 0.01], rel=1e-9)

    def test_optimizer_holds_the_scheduled_rate_between_its_steps(self, tmp_path):
        module, seen = Slope(), []
        module.on_train_batch_end = lambda *_: seen.append(module.optimizers().param_groups[0]["lr"])
        run(module, tmp_path, LinearWarmup(2.0))
        assert seen == [0.1] * 9
        assert module.rates()[0] == pytest.approx(0.1 / 6, rel=1e-9)

    def test_accumulated_batches_step_with_the_rate_of_the_last(self, tmp_path):
        module = Slope()
        run(module, tmp_path, LinearWarmup(), accumulate_grad_batches=2, max_epochs=1)
        assert module.rates() == pytest.approx([0, 0.1 * 2 / 3, 0.1 / 2], rel=1e-9)

    @pytest.mark.parametrize("epoch", [1, 2])
    def test_resumed_run_goes_on_with_the_same_rates(self, epoch: int, tmp_path):
        unbroken, stopped, resumed = Slope(multi_step), Slope(multi_step), Slope(multi_step)
        run(unbroken, tmp_path, LinearWarmup(2.5), max_epochs=4)
        trainer = run(stopped, tmp_path, LinearWarmup(2.5), max_epochs=epoch)
        file = tmp_path / "stopped.ckpt"
        trainer.save_checkpoint(file)
        run(resumed, tmp_path, LinearWarmup(2.5), file, max_epochs=4)
        assert resumed.rates() == pytest.approx(unbroken.rates()[3 * epoch :], rel=1e-9)

    @pytest.mark.parametrize("epochs", [0.0, -1.0, math.nan])
    def test_refused_epochs(self, epochs: float):
        with pytest.raises(ValueError, match=f"epochs must be positive, but is {epochs}"):
            LinearWarmup(epochs)
