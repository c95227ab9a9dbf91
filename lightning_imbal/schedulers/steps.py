"""Steps at fractions of the number of epochs."""

from torch.optim import Optimizer
from torch.optim.lr_scheduler import MultiStepLR

from lightning_imbal.schedulers.checks import check_fraction, checked_epochs


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

    Example:
        >>> import torch
        >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
        >>> sorted(Steps(optimizer, max_epochs=200).milestones), sorted(Steps(optimizer, max_epochs=8).milestones)
        ([50, 100, 150], [2, 4, 6])
    """

    def __init__(
        self, optimizer: Optimizer, max_epochs: int, at: tuple[float, ...] = (0.25, 0.5, 0.75), gamma: float = 0.1
    ) -> None:
        for fraction in at:
            check_fraction("at", fraction)
        super().__init__(optimizer, [max(round(fraction * checked_epochs(max_epochs)), 1) for fraction in at], gamma)
