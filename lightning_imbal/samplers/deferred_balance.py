"""Deferred re-sampling."""

import torch
from torch import Tensor

from lightning_imbal.samplers.base import EpochSampler
from lightning_imbal.samplers.class_power import ClassPower


class DeferredBalance(EpochSampler):
    """Deferred re-sampling (DRS): A shuffle of all images at first, class-balanced draws in the last epochs.

    A baseline of Chen et al. 2021, who take it from Zhou et al. 2020 (BBN). From the 0-based epoch
    `round(start * max_epochs)` on, the N draws of an epoch are those of `ClassPower` with `q = 0`, before it `q = 1`.

    Equation:
        P(class c) = n_c / N up to epoch round(start E) of E, 1 / C after it

    Limits:
        It acts in the last epochs only: a run that keeps an earlier epoch is one without it.

    Args:
        labels: Class label of each image, shape (N,).
        start: Fraction of the epochs before the switch, in 0..1.
        seed: None takes the seed of the run.

    Raises:
        ValueError: `labels` is empty or not a vector of integers, `start` is outside 0..1, or, when an epoch is drawn,
            `max_epochs` is not set.
    """

    follows_epochs = True

    def __init__(self, labels: Tensor, start: float = 0.8, seed: int | None = None) -> None:
        super().__init__(labels, seed)
        if not 0 <= start <= 1:
            raise ValueError(f"start must be in 0..1, but is {start}.")
        self.start = start
        self.instance, self.balanced = ClassPower(labels), ClassPower(labels, q=0.0)

    def __len__(self) -> int:
        return len(self.instance)

    def draw(self, generator: torch.Generator) -> Tensor:
        switched = self.epoch >= round(self.start * self.epochs_of_run())
        return (self.balanced if switched else self.instance).draw(generator)
