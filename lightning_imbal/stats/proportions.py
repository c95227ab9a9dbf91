"""Intervals of proportions, and of what varies for two reasons."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import stdtrit

LEVEL = 0.975
MANY = 1e9  # degrees of freedom with which Student's t is a normal distribution


@dataclass(frozen=True)
class Intervals:
    """Of a score of every class, averaged over the rounds of a row.

    Args:
        value: The averages, (C,); NaN where the score is not defined.
        low: Lower ends of the 95 % intervals, (C,).
        high: Upper ends, (C,).
    """

    NAMES: ClassVar = ("value", "low", "high")

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray


def wilson(share: float, number: float) -> tuple[float, float]:
    """95 % interval of a proportion (Wilson 1927, J. Am. Stat. Assoc. 22).

    Args:
        share: What was observed.
        number: Of independent images.

    Example:
        >>> [round(end, 3) for end in wilson(0 / 5, 5)]
        [0.0, 0.434]
    """
    low, high = wilson_ends(np.array([share]), np.array([number], dtype=np.float64), np.array([MANY]))
    return float(low[0]), float(high[0])


def satterthwaite(first: np.ndarray, of_first: np.ndarray, second: np.ndarray, of_second: float) -> np.ndarray:
    """Degrees of freedom of a sum of two variances (Satterthwaite 1946); those of the first where both are 0."""
    below = first**2 / of_first + second**2 / of_second
    return np.divide((first + second) ** 2, below, out=np.array(of_first, dtype=np.float64), where=below > 0)


def of_rounds(values: np.ndarray, median: bool = False) -> np.ndarray:
    """The variance that the average over rounds has by the chance of training, (S, ...) to (...); 0 of one round."""
    if len(values) == 1:
        return np.zeros(values.shape[1:])
    # The median of few is less certain than their mean.
    return values.var(axis=0, ddof=1) / len(values) * (np.pi / 2 if median else 1)


def student(freedom: np.ndarray, level: float = LEVEL) -> np.ndarray:
    """How many deviations a 95 % interval reaches to either side."""
    return stdtrit(np.minimum(freedom, MANY), level)


def wilson_ends(share: np.ndarray, number: np.ndarray, freedom: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same of many proportions, (C,), with Student's t of so many degrees of freedom."""
    square = student(freedom) ** 2 / number
    middle = (share + square / 2) / (1 + square)
    reach = np.sqrt(square * (share * (1 - share) + square / 4)) / (1 + square)
    return np.clip(middle - reach, 0, share), np.clip(middle + reach, share, 1)
