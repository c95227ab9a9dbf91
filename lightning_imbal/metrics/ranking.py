"""How well the probability of each class ranks its images above all others, and operating points on the way."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from lightning_imbal.score_names import OF_RANKING


@dataclass(frozen=True)
class Curve:
    """What the classifiers "probability >= t" of one class find, from t above all images to t below all of them.

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


def ranking_scores(probability: np.ndarray, label: np.ndarray) -> dict[str, np.ndarray]:
    """Scores of every class against all others, by its probability alone.

    Args:
        probability: (N, C).
        label: True classes, (N,).

    Returns:
        The scores named in `OF_RANKING`, each (C,); of a class without images, or without others, what stands there.
    """
    scores = {kind: np.full(probability.shape[1], undefined) for kind, undefined in OF_RANKING.items()}
    images = np.bincount(label, minlength=probability.shape[1])
    for c in np.flatnonzero((images > 0) & (images < len(label))):
        curve = _curve(probability[:, c], label == c)
        for kind, score in _SCORES.items():
            scores[kind][c] = score(curve)
    return scores


def _curve(probability: np.ndarray, positive: np.ndarray) -> Curve:
    order = np.argsort(-probability)
    ranked = probability[order]
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))  # of those that tie
    hits = np.cumsum(positive[order])[last]
    return Curve(np.append(0, hits), np.append(0, last + 1 - hits))


def _auc(curve: Curve) -> float:
    return float(np.trapezoid(curve.specificity, curve.sensitivity))


def _average_precision(curve: Curve) -> float:
    """Precision, averaged over the images of the class as they are found; nothing is interpolated."""
    precision = curve.hits[1:] / (curve.hits[1:] + curve.alarms[1:])
    return float(np.diff(curve.sensitivity) @ precision)


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
