"""How well the probability of each class ranks its images above all others, and operating points on the way."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

AT_ONCE = 2**18  # probabilities that are copied at once: what fits into a processor's cache
CLASSES_AT_ONCE, ROWS_AT_ONCE = 16, 512  # at least: those of an image are read together


@dataclass(frozen=True)
class Curve:
    """What the classifiers "probability >= t" of one class find, from t above all images to t below all of them.

    Its corners are enough: each t that is the probability of an image of the class, just above it and at it, and both
    ends. In between only images of other classes are found.

    Args:
        hits: Images of the class that are found, (T,); rising from 0 to P.
        alarms: Images of other classes that are found, (T,); rising from 0 to N.
    """

    hits: np.ndarray
    alarms: np.ndarray

    @property
    def sensitivity(self) -> np.ndarray:
        """Share of the images of the class that are found, (T,)."""
        return self.hits / self.hits[-1]

    @property
    def specificity(self) -> np.ndarray:
        """Share of the other images that are not found, (T,)."""
        return 1 - self.alarms / self.alarms[-1]


def sorted_by_class(probability: np.ndarray, label: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The probabilities of each class in turn, rising: (N,) of all images, and (P,) of those of the class.

    Only numbers are sorted, not rows, which is several times as fast, and takes the space of a few classes.

    Args:
        probability: (N, C) float32 or float64.
        label: True classes, (N,).
    """
    images, step = np.bincount(label, minlength=probability.shape[1]), max(CLASSES_AT_ONCE, AT_ONCE // len(label))
    order = np.argsort(label.astype(np.min_scalar_type(len(images))), kind="stable")  # of narrow numbers, a radix sort
    rows = np.split(order, np.cumsum(images)[:-1])
    for start in range(0, probability.shape[1], step):
        for c, every in enumerate(_transposed(probability[:, start : start + step]), start):
            own = every[rows[c]]
            own.sort()
            every.sort()
            yield every, own


def _transposed(probability: np.ndarray) -> np.ndarray:
    """A copy, tile by tile: the whole at once leaves the cache before all of it is used."""
    copied = np.empty(probability.shape[::-1], probability.dtype)
    for start in range(0, len(probability), ROWS_AT_ONCE):
        copied[:, start : start + ROWS_AT_ONCE] = probability[start : start + ROWS_AT_ONCE].T
    return copied


def ranking_scores(every: np.ndarray, own: np.ndarray) -> dict[str, float]:
    """Scores of a class against all others, by its probability alone: those named in `OF_RANKING`.

    Args:
        every: Its probability of all images, rising, (N,).
        own: That of the images of the class, rising, (P,), with 0 < P < N.
    """
    curve = _curve(every, own)
    return {kind: score(curve) for kind, score in _SCORES.items()}


def _curve(every: np.ndarray, own: np.ndarray) -> Curve:
    first = np.flatnonzero(np.append(True, own[1:] != own[:-1]))[::-1]  # of those that tie, from the highest
    found = len(own) - first
    above, reached = (len(every) - np.searchsorted(every, own[first], side=side) for side in ("right", "left"))
    before = np.append(0, found[:-1])
    hits = np.stack([before, found], axis=1).ravel()
    alarms = np.stack([above - before, reached - found], axis=1).ravel()
    return Curve(np.concatenate([[0], hits, [len(own)]]), np.concatenate([[0], alarms, [len(every) - len(own)]]))


def _auc(curve: Curve) -> float:
    return float(np.trapezoid(curve.specificity, curve.sensitivity))


def _average_precision(curve: Curve) -> float:
    """Precision, averaged over the images of the class as they are found; nothing is interpolated."""
    precision = curve.hits[2::2] / (curve.hits[2::2] + curve.alarms[2::2])
    return float(np.diff(curve.sensitivity[::2]) @ precision)


def _sensitivity_at(curve: Curve, specificity: float) -> float:
    """The best one of all thresholds that have at least such a specificity."""
    return float(curve.sensitivity[curve.specificity >= specificity].max())


def _specificity_at(curve: Curve, sensitivity: float) -> float:
    """The best one of all thresholds that have at least such a sensitivity."""
    return float(curve.specificity[curve.sensitivity >= sensitivity].max())


def _partial_auc(curve: Curve, least: float = 0.8) -> float:
    """Area between the ROC curve and the line of a least sensitivity, as the ISIC 2024 challenge has it."""
    sensitivity, specificity = curve.sensitivity, curve.specificity
    first = np.searchsorted(sensitivity, least)
    at_least = np.interp(least, sensitivity[first - 1 : first + 1], specificity[first - 1 : first + 1])
    return float(np.trapezoid(np.append(at_least, specificity[first:]), np.append(least, sensitivity[first:])))


_SCORES: dict[str, Callable[[Curve], float]] = {
    "auc": _auc,
    "ap": _average_precision,
    "sensitivity_at_90": partial(_sensitivity_at, specificity=0.90),
    "sensitivity_at_95": partial(_sensitivity_at, specificity=0.95),
    "specificity_at_90": partial(_specificity_at, sensitivity=0.90),
    "pauc": _partial_auc,
}
