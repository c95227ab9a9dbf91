"""Learning rates of each epoch against slow oracles, after a resume and in a Trainer; the warm-up step by step."""

import math
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from schedule_oracles import SchedulerFactory, rates
from torch import nn
from torch.optim import SGD, Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, MultiStepLR
from torch.utils.data import DataLoader

from lightning_imbal.callbacks import LinearWarmup
from lightning_imbal.schedulers import CosineCycles, Steps


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
    trainer = Trainer(callbacks=[*options.pop("before", []), warmup], **options)
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

    def test_fraction_of_the_epochs_by_hand(self, tmp_path):
        # A quarter of 8 epochs of 3 batches.
        module = Slope()
        run(module, tmp_path, LinearWarmup(fraction=0.25), max_epochs=8)
        expected = [0.1 / 6, 0.2 / 6, 0.3 / 6, 0.4 / 6, 0.5 / 6, *[0.1] * 19]
        assert module.rates() == pytest.approx(expected, rel=1e-9)

    def test_of_several_only_the_last_warms_up(self, tmp_path):
        alone, both = Slope(), Slope()
        run(alone, tmp_path, LinearWarmup(0.5), max_epochs=2)
        run(both, tmp_path, LinearWarmup(0.5), max_epochs=2, before=[LinearWarmup(2.0)])
        assert both.rates() == alone.rates() != [0.1] * 6

    @pytest.mark.parametrize("fraction", [0.0, 1.5, math.nan])
    def test_refused_fractions(self, fraction: float):
        with pytest.raises(ValueError, match=f"fraction must be above 0 and at most 1, but is {fraction}"):
            LinearWarmup(fraction=fraction)

    def test_fraction_of_epochs_without_end(self, tmp_path):
        with pytest.raises(ValueError, match="max_epochs is -1"):
            run(Slope(), tmp_path, LinearWarmup(fraction=0.5), max_epochs=-1, max_steps=3)

    @pytest.mark.parametrize("epochs", [0.0, -1.0, math.nan])
    def test_refused_epochs(self, epochs: float):
        with pytest.raises(ValueError, match=f"epochs must be positive, but is {epochs}"):
            LinearWarmup(epochs)
