"""The optimizer of a module, its schedule, and the rates of its layers."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import torch
from lightning.pytorch.cli import OptimizerCallable
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from lightning_imbal.backbones.tuning_blocks import layer_rates
from lightning_imbal.errors import UserError
from lightning_imbal.factories.build import build
from lightning_imbal.modules.base_optimizers import SchedulerFactory, build_schedule, kept_score
from lightning_imbal.modules.base_tuning import PartlyTrained
from lightning_imbal.schedulers.step_rates import scale_steps

SCALE = "lr_scale"  # of a parameter group, as timm calls it


class Optimized(PartlyTrained):
    """A module that is trained by an optimizer and a schedule which are built when a Trainer asks for them."""

    optimizer: OptimizerCallable
    scheduler: SchedulerFactory | None

    @property
    def lr(self) -> float:
        """The learning rate that the optimizer begins with, which Lightning's `LearningRateFinder` and `Tuner` set."""
        return build(self.optimizer, params=[nn.Parameter(torch.zeros(1))]).param_groups[0]["lr"]

    @lr.setter
    def lr(self, value: float) -> None:
        self.optimizer = partial(self.optimizer, lr=value)  # type: ignore[call-arg]  # each optimizer has one
        schedulers = [config.scheduler for config in self._trainer.lr_scheduler_configs] if self._trainer else []
        for scheduler in schedulers:  # that are built already, and go on from the rate that they began with
            if isinstance(scheduler, LRScheduler):
                scheduler.base_lrs = [value] * len(scheduler.base_lrs)
            for group in scheduler.optimizer.param_groups:
                group["initial_lr"] = value

    def parameter_groups(self) -> Iterable[nn.Parameter] | list[dict[str, Any]]:
        """What `trained_parameters` gives, without those that are frozen, in groups by their share of the rate."""
        trained = self.trained_parameters()
        if self.trained_of_backbone:
            trained = [parameter for parameter in trained if parameter.requires_grad]
        if self.layer_decay is None:
            return trained
        rates, groups = layer_rates(self.backbone, self.layer_decay), dict[float, list[nn.Parameter]]()
        for parameter in trained:
            groups.setdefault(rates.get(parameter, 1.0), []).append(parameter)
        return [{"params": parameters, SCALE: rate} for rate, parameters in groups.items()]

    def scale_rates(self, optimizer: Optimizer) -> None:
        """Lets an optimizer step with the share of its rate that each group has."""
        if self.layer_decay is not None:
            scale_steps(optimizer, lambda group: group.get(SCALE, 1.0))

    def build_optimizers(self, max_epochs: int, steps: Callable[[], int] | None = None) -> Any:
        """Builds the optimizer and its schedule over a number of epochs.

        Args:
            max_epochs: Number of epochs.
            steps: Tells the number of steps; None: one an epoch.

        Raises:
            UserError: One of them refuses its arguments.
        """
        try:
            optimizer = build(self.optimizer, params=self.parameter_groups())
            self.scale_rates(optimizer)
            if self.scheduler is None:
                return optimizer
            return [optimizer], [build_schedule(self.scheduler, optimizer, max_epochs, steps or (lambda: max_epochs))]
        except ValueError as error:
            raise UserError(str(error)) from error

    def configure_optimizers(self) -> Any:
        """Builds the optimizer and its schedule over the Trainer's number of epochs; a score to wait for is its own."""
        steps = lambda: int(self.trainer.estimated_stepping_batches)  # noqa: E731
        optimizers = self.build_optimizers(self.trainer.max_epochs, steps)  # type: ignore[arg-type]  # a Trainer makes None -1
        if isinstance(optimizers, tuple) and isinstance(optimizers[1][0]["scheduler"], ReduceLROnPlateau):
            optimizers[1][0]["monitor"] = optimizers[1][0]["monitor"] or kept_score(self.trainer)
        return optimizers

    def lr_scheduler_step(self, scheduler: LRScheduler, metric: Any) -> None:
        """Steps a schedule, but not one that waits for a score, which `OfEveryTraining` does."""
        if isinstance(scheduler, ReduceLROnPlateau):
            return
        try:
            super().lr_scheduler_step(scheduler, metric)
        except ValueError as error:  # it was built for fewer steps
            raise UserError(f"{type(scheduler).__name__} cannot go on: {error}") from error
