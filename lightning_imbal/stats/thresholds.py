"""How well the probability of each class ranks its images above all others, in many resamples at once."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from scipy.sparse import csr_array

from lightning_imbal.decisions.confusions import ratio


class Thresholds:
    """The thresholds of every class at which its sensitivity changes: the probabilities that its own images have of it.

    Those of the first class come first, T of all classes together, those of a class rising. Each matrix (T, N) adds up
    the weights of images.

    Args:
        label: True classes, (N,).
        probability: (N, C).

    Attributes:
        places: Which thresholds are those of a class.
        own: Counts the images of the class that have just this probability.
        tied: Counts the other images that have.
        passed: Counts the other images that are below this threshold, but not below the one before.
    """

    def __init__(self, label: np.ndarray, probability: np.ndarray) -> None:
        self.places: list[slice] = []
        found: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {"own": [], "tied": [], "passed": []}
        start = 0
        for c, of_class in enumerate(probability.T):
            own, other = np.flatnonzero(label == c), np.flatnonzero(label != c)
            value, row = np.unique(of_class[own], return_inverse=True)
            at = np.searchsorted(value, of_class[other])
            above = np.searchsorted(value, of_class[other], side="right")
            found["own"].append((start + row, own))
            found["tied"].append((start + at[at < above], other[at < above]))
            found["passed"].append((start + above[above < len(value)], other[above < len(value)]))
            self.places.append(slice(start, start + len(value)))
            start += len(value)
        self.own, self.tied, self.passed = (_counting(parts, (start, len(label))) for parts in found.values())


def _counting(parts: list[tuple[np.ndarray, np.ndarray]], shape: tuple[int, int]) -> csr_array:
    """Of the rows, and the images that count in them, of each class."""
    row, image = (np.concatenate(of_classes) for of_classes in zip(*parts, strict=True))
    return csr_array((np.ones(len(row)), (row, image)), shape=shape)


@dataclass(frozen=True)
class Counts:
    """What the thresholds of one class, rising, count in r resamples.

    Args:
        own: Images of the class with just this probability, (T, r).
        tied: Other images with it, (T, r).
        lower: Other images below it, (T, r).
        positives: All images of the class, (r,).
        negatives: All others, (r,).
    """

    own: np.ndarray
    tied: np.ndarray
    lower: np.ndarray
    positives: np.ndarray
    negatives: np.ndarray

    @cached_property
    def hits(self) -> np.ndarray:
        """Images of the class at the threshold or above, (T, r)."""
        return self.own[::-1].cumsum(axis=0)[::-1]


def _auc(counts: Counts) -> np.ndarray:
    """Pairs in which the image of the class ranks higher; a tie counts half."""
    won = np.einsum("tr,tr->r", counts.own, counts.lower + counts.tied / 2)
    return ratio(won, counts.positives * counts.negatives)


def _average_precision(counts: Counts) -> np.ndarray:
    precision = ratio(counts.hits, counts.hits + counts.negatives - counts.lower)
    return ratio(np.einsum("tr,tr->r", counts.own, precision), counts.positives)


def _sensitivity_at(counts: Counts, specificity: float) -> np.ndarray:
    reached = ratio(counts.lower, counts.negatives) >= specificity
    return ratio(counts.hits.max(axis=0, where=reached, initial=0), counts.positives)


def _specificity_at(counts: Counts, sensitivity: float) -> np.ndarray:
    reached = ratio(counts.hits, counts.positives) >= sensitivity
    return ratio(counts.lower.max(axis=0, where=reached, initial=0), counts.negatives)


def _partial_auc(counts: Counts, least: float = 0.8) -> np.ndarray:
    """Specificity, integrated over the sensitivities above the least; between two thresholds both change in line."""
    upper = ratio(counts.hits, counts.positives)
    lower = np.concatenate([upper[1:], np.zeros_like(upper[:1])])
    start, stop = np.maximum(lower, least), np.maximum(upper, least)
    way = ratio((start + stop) / 2 - lower, upper - lower)
    specificity = ratio(counts.lower + (1 - way) * counts.tied, counts.negatives)
    return np.einsum("tr,tr->r", stop - start, specificity)


RANKING: dict[str, Callable[[Counts], np.ndarray]] = {
    "auc": _auc,
    "ap": _average_precision,
    "sensitivity_at_90": partial(_sensitivity_at, specificity=0.90),
    "sensitivity_at_95": partial(_sensitivity_at, specificity=0.95),
    "specificity_at_90": partial(_specificity_at, sensitivity=0.90),
    "pauc": _partial_auc,
}
