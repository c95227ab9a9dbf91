"""Half cosines: one after a warm-up, or several cycles."""

import math

from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from lightning_imbal.schedulers.checks import check_fraction, check_rate, checked_epochs


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

    Example:
        >>> import torch
        >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
        >>> schedule, rates = WarmupCosine(optimizer, max_epochs=8, warmup=0.25), []
        >>> for _ in range(8):
        ...     rates.append(round(schedule.get_last_lr()[0], 2))
        ...     optimizer.step()
        ...     schedule.step()
        >>> rates
        [0.5, 1.0, 1.0, 0.93, 0.75, 0.5, 0.25, 0.07]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_epochs: int,
        warmup: float = 0.05,
        start: float = 0.0,
        eta_min: float = 1e-6,
    ) -> None:
        check_fraction("warmup", warmup)
        check_rate("eta_min", eta_min)
        self.max_epochs = checked_epochs(max_epochs)
        self.warmup_epochs = round(warmup * max_epochs)
        self.start, self.eta_min = start, eta_min
        super().__init__(optimizer)

    def get_lr(self) -> list[float | Tensor]:
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
        check_rate("eta_min", eta_min)
        self.max_epochs, self.cycles, self.eta_min = checked_epochs(max_epochs), cycles, eta_min
        super().__init__(optimizer)

    def get_lr(self) -> list[float | Tensor]:
        """Returns the rates of the parameter groups in the present epoch."""
        epochs = max(self.max_epochs, 1)
        cycle = self.last_epoch * self.cycles // epochs
        first, following = (-(-k * epochs // self.cycles) for k in (cycle, cycle + 1))
        progress = (self.last_epoch - first) / (following - first)
        return [_half_cosine(base, self.eta_min, progress) for base in self.base_lrs]


def _half_cosine(base: float | Tensor, eta_min: float, progress: float) -> float | Tensor:
    """From `base` at progress 0 to `eta_min` at progress 1."""
    return eta_min + (base - eta_min) * (1 + math.cos(math.pi * progress)) / 2
