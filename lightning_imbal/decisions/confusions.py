"""Scores of the answers in many confusion matrices at once."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Protocol

import numpy as np

from lightning_imbal.score_names import OF_CLASS


class Classes(Protocol):
    """What scores must know of the classes.

    Attributes:
        class_names: In label order.
        groups: Class names of each group.
        rarest: Label of the class with fewest training images.
        present: Whether there are images of a class at all, (C,) bool.
    """

    class_names: tuple[str, ...]
    groups: dict[str, tuple[str, ...]]
    rarest: int
    present: np.ndarray


@dataclass(eq=False)
class KnownClasses:
    """Classes by themselves, without the images of a test."""

    class_names: tuple[str, ...]
    groups: dict[str, tuple[str, ...]]
    rarest: int
    present: np.ndarray


class Confusions:
    """Counts of R sets of images. All arrays have the sets last.

    A class that `test` has but a set lacks is left out of that set: it does not count in any mean over classes.

    Args:
        test: The classes.
        confusion: Images by true and predicted class, (C, C, R) float64.
    """

    def __init__(self, test: Classes, confusion: np.ndarray) -> None:
        self.test, self.confusion = test, confusion

    @cached_property
    def total(self) -> np.ndarray:
        """Number of images, (R,)."""
        return self.confusion.sum(axis=(0, 1))

    @cached_property
    def hits(self) -> np.ndarray:
        """Images of each class that are predicted right, (C, R)."""
        return np.einsum("ccr->cr", self.confusion)

    @cached_property
    def true(self) -> np.ndarray:
        """Images of each class, (C, R)."""
        return self.confusion.sum(axis=1)

    @cached_property
    def predicted(self) -> np.ndarray:
        """Images that are predicted to be of each class, (C, R)."""
        return self.confusion.sum(axis=0)

    @cached_property
    def recall(self) -> np.ndarray:
        """Of each class, (C, R); 0 where it is not defined, as with precision and F1."""
        return ratio(self.hits, self.true)

    @cached_property
    def precision(self) -> np.ndarray:
        """Of each class, (C, R)."""
        return ratio(self.hits, self.predicted)

    @cached_property
    def f1(self) -> np.ndarray:
        """Of each class, (C, R)."""
        return ratio(2 * self.hits, self.true + self.predicted)

    @cached_property
    def kept(self) -> np.ndarray:
        """Whether a class is not left out of a set, (C, R)."""
        return (self.true > 0) | ~self.test.present[:, None]

    @cached_property
    def varied(self) -> np.ndarray:
        """Whether neither labels nor predictions are constant, (R,)."""
        return ((self.true > 0).sum(axis=0) > 1) & ((self.predicted > 0).sum(axis=0) > 1)

    @cached_property
    def unlike_pairs(self) -> np.ndarray:
        """Geometric mean of the ordered pairs of images with two labels and of those with two predictions, (R,)."""
        true, predicted = (self.total**2 - (images**2).sum(axis=0) for images in (self.true, self.predicted))
        return np.sqrt(np.maximum(true * predicted, 0))  # sums of weights are rounded


def answer_score(sets: Confusions, name: str) -> np.ndarray | None:
    """A score of the answers in each set, (R,); NaN where it is not defined. None if it is no such score.

    Keys and definitions are those of `lightning_imbal.metrics.classification_scores`.
    """
    classes, groups = sets.test.class_names, sets.test.groups
    key, _, part = name.partition("/")
    if name in SUMMARY:
        return SUMMARY[name](sets)
    if key in OF_CLASS and part in classes:
        return _of_class(sets, key, classes.index(part))
    if key in PER_GROUP and part in groups:
        return PER_GROUP[key](sets, [classes.index(member) for member in groups[part]])
    return None


def _of_class(sets: Confusions, key: str, c: int) -> np.ndarray:
    return np.where(sets.kept[c], getattr(sets, key)[c], np.nan)


def _accuracy(sets: Confusions) -> np.ndarray:
    return ratio(sets.hits.sum(axis=0), sets.total)


def _balanced_accuracy(sets: Confusions) -> np.ndarray:
    return mean(sets.recall, sets.true > 0)


def _macro(sets: Confusions, key: str) -> np.ndarray:
    return mean(getattr(sets, key), sets.kept)


def _scr(sets: Confusions) -> np.ndarray:
    return _of_class(sets, "recall", sets.test.rarest)


def _group_recall(sets: Confusions, members: list[int]) -> np.ndarray:
    seen = [c for c in members if sets.test.present[c]]
    if not seen:
        return np.zeros_like(sets.total)
    return mean(sets.recall[seen], sets.true[seen] > 0)


def _group_f1(sets: Confusions, members: list[int]) -> np.ndarray:
    return mean(sets.f1[members], sets.kept[members])


def _mcc(sets: Confusions) -> np.ndarray:
    """Matthews correlation (Gorodkin 2004)."""
    covariance = sets.total * sets.hits.sum(axis=0) - (sets.true * sets.predicted).sum(axis=0)
    return _if_varied(sets, covariance, sets.unlike_pairs)


def _kappa(sets: Confusions) -> np.ndarray:
    """Cohen's kappa with quadratic weights."""
    rank = np.arange(len(sets.test.class_names))
    distance = (rank[:, None] - rank) ** 2.0
    expected = (sets.true * (distance @ sets.predicted)).sum(axis=0)
    return _if_varied(sets, expected - sets.total * np.tensordot(distance, sets.confusion), expected)


def _kendall_tau(sets: Confusions) -> np.ndarray:
    """Tau-b: concordant less discordant pairs (each in both orders), relative to `unlike_pairs`."""
    surplus = _higher_less_lower(_higher_less_lower(sets.confusion, axis=0), axis=1)
    return _if_varied(sets, np.einsum("tpr,tpr->r", sets.confusion, surplus), sets.unlike_pairs)


def _grades_off(sets: Confusions) -> np.ndarray:
    """How many classes lie between the true and the predicted one, and one more where they differ, (C, C)."""
    rank = np.arange(len(sets.test.class_names))
    return np.abs(rank[:, None] - rank)


def _mean_grade_error(sets: Confusions) -> np.ndarray:
    return ratio(np.tensordot(_grades_off(sets), sets.confusion), sets.total)


def _macro_grade_error(sets: Confusions) -> np.ndarray:
    """Mean over the true classes (Baccianella et al. 2009)."""
    of_class = np.einsum("tp,tpr->tr", _grades_off(sets), sets.confusion)
    return mean(ratio(of_class, sets.true), sets.true > 0)


def _adjacent_accuracy(sets: Confusions) -> np.ndarray:
    return ratio(np.tensordot((_grades_off(sets) <= 1).astype(float), sets.confusion), sets.total)


def _if_varied(sets: Confusions, numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """The ratio; 0 where labels or predictions are constant."""
    return ratio(numerator, np.where(sets.varied, denominator, 0))


def _higher_less_lower(images: np.ndarray, axis: int) -> np.ndarray:
    """Images in all higher classes less those in all lower ones, for each class along an axis."""
    running = images.cumsum(axis=axis)
    return running.take([-1], axis=axis) - 2 * running + images


def ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """The ratio; 0 where the denominator is."""
    return np.divide(numerator, denominator, out=np.zeros(numerator.shape), where=denominator > 0)


def mean(value: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """Mean over the classes that count, (C, R) to (R,); NaN where none does."""
    with np.errstate(invalid="ignore"):
        return value.sum(axis=0, where=counted) / counted.sum(axis=0)


SUMMARY: dict[str, Callable[[Confusions], np.ndarray]] = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "f1": partial(_macro, key="f1"),
    "precision": partial(_macro, key="precision"),
    "recall": partial(_macro, key="recall"),
    "scr": _scr,
    "mcc": _mcc,
    "kappa": _kappa,
    "kendall_tau": _kendall_tau,
    "mean_grade_error": _mean_grade_error,
    "macro_grade_error": _macro_grade_error,
    "adjacent_accuracy": _adjacent_accuracy,
}
PER_GROUP = {"group_recall": _group_recall, "group_f1": _group_f1}
