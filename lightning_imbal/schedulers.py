"""Learning rates and weights over the epochs of a run; every point in time is a fraction of the number of epochs."""

import math
from typing import Literal

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, MultiStepLR, ReduceLROnPlateau


class WarmupCosine(LRScheduler):
    """Rises linearly to the base rate, then falls as half a cosine.

    Zeng et al. 2023, Section 3.1. With `W = round(warmup * max_epochs)` the 0-based epoch `e < W` has the rate
    `base * (start + (1 - start) * (e + 1) / W)`. From epoch W on it is torch's `CosineAnnealingLR` over the other
    epochs: `base` at epoch W, and `eta_min` would come after the last one.

    Args:
        optimizer: Every parameter group has a base rate of its own.
        max_epochs: Epochs of the run.
        warmup: Fraction of the epochs in which the rate rises.
        start: Fraction of the base rate from which it rises.
        eta_min: Rate to which the cosine falls.

    Raises:
        ValueError: `max_epochs` is not known or `warmup` is outside 0..1.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_epochs: int,
        warmup: float = 0.05,
        start: float = 0.0,
        eta_min: float = 1e-6,
    ) -> None:
        _check_fraction("warmup", warmup)
        self.max_epochs = _known(max_epochs)
        self.warmup_epochs = round(warmup * max_epochs)
        self.start, self.eta_min = start, eta_min
        super().__init__(optimizer)

    def get_lr(self) -> list[float]:
        """Returns the rates of the parameter groups in the present epoch."""
        past = self.last_epoch - self.warmup_epochs
        if past < 0:
            factor = self.start + (1 - self.start) * (self.last_epoch + 1) / self.warmup_epochs
            return [base * factor for base in self.base_lrs]
        progress = past / max(self.max_epochs - self.warmup_epochs, 1)
        return [_half_cosine(base, self.eta_min, progress) for base in self.base_lrs]


class CosineCycles(LRScheduler):
    """Falls as half a cosine, several times over.

    Galdran et al. 2021, Section 2.4, which anneals the rate to 0 in cycles without saying how many. The 0-based cycle
    `k` of `cycles` begins with the base rate in epoch `ceil(k * max_epochs / cycles)`; it would reach `eta_min` in the
    epoch in which the next one begins. If there are more cycles than epochs, every epoch begins one.

    Args:
        optimizer: Every parameter group has a base rate of its own.
        max_epochs: Epochs of the run.
        cycles: Number of cycles in the run.
        eta_min: Rate to which each cosine falls.

    Raises:
        ValueError: `max_epochs` is not known or `cycles` is not positive.
    """

    def __init__(self, optimizer: Optimizer, max_epochs: int, cycles: int = 1, eta_min: float = 0.0) -> None:
        if cycles < 1:
            raise ValueError(f"cycles must be at least 1, but is {cycles}.")
        self.max_epochs, self.cycles, self.eta_min = _known(max_epochs), cycles, eta_min
        super().__init__(optimizer)

    def get_lr(self) -> list[float]:
        """Returns the rates of the parameter groups in the present epoch."""
        epochs = max(self.max_epochs, 1)
        cycle = self.last_epoch * self.cycles // epochs
        first, following = (-(-k * epochs // self.cycles) for k in (cycle, cycle + 1))
        progress = (self.last_epoch - first) / (following - first)
        return [_half_cosine(base, self.eta_min, progress) for base in self.base_lrs]


class Steps(MultiStepLR):
    """Multiplies the rate by `gamma` at some epochs.

    Chen et al. 2021, Section 3.1: a tenth after every 50 of 200 epochs. A point of time `f` is epoch
    `round(f * max_epochs)`, but never the first, which always has the base rate.

    Args:
        optimizer: Every parameter group has a base rate of its own.
        max_epochs: Epochs of the run.
        at: Points of time, as fractions of the epochs.
        gamma: Factor at each of them.

    Raises:
        ValueError: `max_epochs` is not known or a point of time is outside 0..1.
    """

    def __init__(
        self, optimizer: Optimizer, max_epochs: int, at: tuple[float, ...] = (0.25, 0.5, 0.75), gamma: float = 0.1
    ) -> None:
        for fraction in at:
            _check_fraction("at", fraction)
        super().__init__(optimizer, [max(round(fraction * _known(max_epochs)), 1) for fraction in at], gamma)


class Plateau(ReduceLROnPlateau):
    """Multiplies the rate by `factor` when a score has not improved for more than `patience` epochs.

    The schedule of the code released with Galdran et al. 2021. It follows the score and not the number of epochs.

    Args:
        optimizer: Every parameter group has a base rate of its own.
        max_epochs: Epochs of the run; not used, but given to every schedule.
        monitor: Name of the logged score.
        mode: Whether the highest or the lowest score is the best.
        factor: Factor at each reduction, below 1.
        patience: Epochs without improvement that are borne.
        min_factor: Fraction of the base rate below which the rate does not fall.

    Attributes:
        monitor: As given; Lightning asks the module for it.

    Raises:
        ValueError: `factor` is not below 1 or `mode` is not one of those above.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_epochs: int,
        monitor: str = "val/kappa",
        mode: Literal["max", "min"] = "max",
        factor: float = 0.1,
        patience: int = 2,
        min_factor: float = 1e-3,
    ) -> None:
        if mode not in ("max", "min"):
            raise ValueError(f"mode must be max or min, but is {mode!r}.")
        if not factor < 1:
            raise ValueError(f"factor must be below 1, but is {factor}.")
        min_lr = [min_factor * group["lr"] for group in optimizer.param_groups]
        # By default torch leaves out reductions below 1e-8, whatever the base rate.
        super().__init__(optimizer, mode, factor, patience, min_lr=min_lr, eps=0.0)
        self.monitor = monitor


def parabolic_decay(epoch: int, max_epochs: int) -> float:
    """The weight `1 - (epoch / max_epochs) ** 2`, which falls from 1 ever faster; 0 would come after the last epoch.

    Zhou et al. 2020, Eq. 5, with the epochs counted from 0 as in their code; also in Wang et al. 2021 (Hybrid-SC).

    Args:
        epoch: The present epoch, 0-based.
        max_epochs: Epochs of the run.

    Raises:
        ValueError: `max_epochs` is not positive.
    """
    return 1 - (epoch / _known(max_epochs, least=1)) ** 2


def _half_cosine(base: float, eta_min: float, progress: float) -> float:
    """From `base` at progress 0 to `eta_min` at progress 1."""
    return eta_min + (base - eta_min) * (1 + math.cos(math.pi * progress)) / 2


def _known(max_epochs: int, least: int = 0) -> int:
    # Lightning's -1 means epochs without end.
    if max_epochs < least:
        raise ValueError(
            f"The schedule needs to know the number of epochs, but max_epochs is {max_epochs}: set trainer.max_epochs."
        )
    return max_epochs


def _check_fraction(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise ValueError(f"{name} must be in 0..1, but is {value}.")
