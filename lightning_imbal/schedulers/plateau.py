"""Reductions when a validation score no longer improves."""

from typing import Literal

from torch.optim import Optimizer
from torch.optim.lr_scheduler import ReduceLROnPlateau


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
        ValueError: `factor` is not between 0 and 1, `patience` is negative, or `mode` is not one of those above.
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
        if not 0 < factor < 1:
            raise ValueError(f"factor must be between 0 and 1, but is {factor}.")
        if patience < 0:
            raise ValueError(f"patience must not be negative, but is {patience}.")
        min_lr = [min_factor * group["lr"] for group in optimizer.param_groups]
        # By default torch leaves out reductions below 1e-8, whatever the base rate.
        super().__init__(optimizer, mode, factor, patience, min_lr=min_lr, eps=0.0)
        self.monitor = monitor
