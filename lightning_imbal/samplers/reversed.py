"""Rare classes drawn more often than frequent ones."""

from typing import Literal

from torch import Tensor

from lightning_imbal.samplers.class_power import ClassPower


class Reversed(ClassPower):
    """Draws classes with probability proportional to `n_max / n_c`, then a uniform image of the class.

    Zhou et al. 2020, "BBN: Bilateral-Branch Network with Cumulative Learning for Long-Tailed Visual Recognition",
    reversed sampler. It is `ClassPower` with `q = -1`: Rare classes are drawn more often than frequent ones.

    Equation:
        P(class c) = (1 / n_c) / sum_k 1 / n_k

    Args:
        labels: Class label of each image, shape (N,).
        length: Images drawn in an epoch, as for `ClassPower`.
        seed: None takes the seed of the run.

    Raises:
        ValueError: `labels` is empty or not a vector of integers, or `length` is not positive.
    """

    def __init__(self, labels: Tensor, length: int | Literal["max"] | None = None, seed: int | None = None) -> None:
        super().__init__(labels, -1.0, length, seed)
