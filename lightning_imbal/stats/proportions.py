"""Intervals of recall, precision and F1 of classes, which hold where a class has few images or is always found."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy.special import ndtri, owens_t, stdtrit

from lightning_imbal.stats.rounds import Round

FEW_UNITS = 10  # of a class: below, what its scores vary by cannot be seen from its units
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


class UnitCounts:
    """What the rounds of a row got right, by unit (lesion, patient, or image where none is known) and class.

    Args:
        rounds: Of one row.

    Attributes:
        units: Number of units of each class that were tested, (C,).
        effective: How many units of one size would vary as much if the images of each were alike, (C,).
        all_effective: The same of all classes together.
    """

    def __init__(self, rounds: Sequence[Round]) -> None:
        joined = [each.joined for each in rounds]
        codes, known = pd.factorize(np.concatenate([each.unit for each in joined]))
        codes = np.split(codes, np.cumsum([len(each.unit) for each in joined])[:-1])
        shape = len(known), len(joined[0].class_names)

        def count(unit: np.ndarray, c: np.ndarray) -> np.ndarray:
            return np.bincount(unit * shape[1] + c, minlength=shape[0] * shape[1]).reshape(shape).astype(np.float64)

        true, predicted, hits = [], [], []
        for each, unit in zip(joined, codes, strict=True):
            guess = each.probability.argmax(axis=1)
            right = guess == each.label
            true.append(count(unit, each.label))
            predicted.append(count(unit, guess))
            hits.append(count(unit[right], guess[right]))
        self.true, self.predicted, self.hits = np.stack(true), np.stack(predicted), np.stack(hits)  # (rounds, U, C)
        self.units = (self.true > 0).any(axis=0).sum(axis=0)
        self.effective = _effective(self.true.mean(axis=0))
        self.all_effective = float(_effective(self.true.mean(axis=0).sum(axis=1, keepdims=True))[0])

    def intervals(self, score: str, median: bool = False) -> Intervals:
        """Intervals of recall, precision or F1 of every class.

        Recall and precision are proportions; so is J = TP / (TP + FP + FN), of which F1 = 2 J / (1 + J) is a rising
        function, and whose interval is mapped. The interval is that of Wilson (1927), of as many images as would vary
        as much: how much units vary is estimated from them (ratio estimator; Rao and Scott 1992), taken to be wholly
        alike inside where there are fewer than 10, or where all or none is hit. Of several rounds, the variance of
        their mean is added, with Satterthwaite's degrees of freedom. Where units hold several images, their number is
        that of the degrees of freedom.

        Args:
            score: `recall`, `precision` or `f1`.
            median: Whether the value is the median over the rounds, not the mean.
        """
        take = np.median if median else np.mean
        whole = {"recall": self.true, "precision": self.predicted, "f1": self.true + self.predicted - self.hits}[score]
        tested = (self.true.sum(axis=1) > 0).all(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            found = _shares(self.hits, whole)
            if score == "f1":
                value = take(2 * found / (1 + found), axis=0)
                low, high = _wilson(value / (2 - value), *_size(self.hits, whole, value / (2 - value), median))
                low, high = 2 * low / (1 + low), 2 * high / (1 + high)
            else:
                value = take(found, axis=0)
                low, high = _wilson(value, *_size(self.hits, whole, value, median))
        value, low, high = (np.where(tested, each, np.nan) for each in (value, low, high))
        return Intervals(value, low, high)

    def auc(self, value: np.ndarray, of_rounds: np.ndarray) -> Intervals:
        """Intervals of the AUC of every class against all others.

        They hold the areas from which the observed one is no further than 1.96 of their own deviations (Hanley and
        McNeil 1982, Radiology 143; Newcombe 2006, Stat. Med. 25, method 5), with images of a unit taken to be alike.

        Args:
            value: The areas, averaged over the rounds, (C,).
            of_rounds: Variance of that average by the chance of training, (C,).
        """
        whole = self.true.mean(axis=0)
        area = np.linspace(0, 1, 2001)[:, None]
        with np.errstate(invalid="ignore", divide="ignore"):
            positive, negative = self.effective, _effective(whole.sum(axis=1, keepdims=True) - whole)
            both = area - 2 * owens_t(ndtri(area), 3**-0.5)
            variance = (both - area**2) * (1 / positive + 1 / negative)
            freedom = satterthwaite(variance, np.full(variance.shape, MANY), of_rounds, max(len(self.true) - 1, 1))
            near = np.abs(area - value) <= student(freedom) * np.sqrt(variance + of_rounds)
        low, high = np.where(near, area, 2).min(axis=0), np.where(near, area, -1).max(axis=0)
        known = np.isfinite(value) & near.any(axis=0)
        low, high = np.where(known, np.minimum(low, value), np.nan), np.where(known, np.maximum(high, value), np.nan)
        return Intervals(np.where(known, value, np.nan), low, high)

    def accuracy(self, median: bool = False) -> Intervals:
        """That of the share of all images that are classified right, as of a single class, (1,)."""
        hits, whole = self.hits.sum(axis=2, keepdims=True), self.true.sum(axis=2, keepdims=True)
        with np.errstate(invalid="ignore", divide="ignore"):
            value = (np.median if median else np.mean)(_shares(hits, whole), axis=0)
            return Intervals(value, *_wilson(value, *_size(hits, whole, value, median)))


def wilson(share: float, number: float) -> tuple[float, float]:
    """95 % interval of a proportion (Wilson 1927, J. Am. Stat. Assoc. 22).

    Args:
        share: What was observed.
        number: Of independent images.

    Example:
        >>> [round(end, 3) for end in wilson(0 / 5, 5)]
        [0.0, 0.434]
    """
    low, high = _wilson(np.array([share]), np.array([number], dtype=np.float64), np.array([MANY]))
    return float(low[0]), float(high[0])


def _effective(images: np.ndarray) -> np.ndarray:
    """n^2 / sum m^2 of units (U, C) of m images each (Kish 1965); 0 where there are none."""
    square = (images**2).sum(axis=0)
    return np.divide(images.sum(axis=0) ** 2, square, out=np.zeros_like(square), where=square > 0)


def _shares(hits: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return hits.sum(axis=1) / whole.sum(axis=1)


def _size(hits: np.ndarray, whole: np.ndarray, share: np.ndarray, median: bool) -> tuple[np.ndarray, np.ndarray]:
    """How many independent images would vary as much, and the degrees of freedom, each (C,).

    Args:
        hits: Of each round, unit and class, (S, U, C).
        whole: What they are a share of, (S, U, C).
        share: Over all rounds, (C,).
        median: Whether it is the median over the rounds.
    """
    rounds, images = len(hits), whole.sum(axis=1).mean(axis=0)
    units = (whole > 0).any(axis=0).sum(axis=0)
    grouped = whole.max(axis=(0, 1)) > 1
    of_image = share * (1 - share)
    # If all images of a unit were alike: sum m^2 / n times the variance of single ones.
    concentration = ((whole / whole.sum(axis=1, keepdims=True)) ** 2).sum(axis=1).mean(axis=0)
    influence = ((hits - _shares(hits, whole)[:, None] * whole) / whole.sum(axis=1, keepdims=True)).mean(axis=0)
    seen = (influence**2).sum(axis=0) * np.where(grouped, units / np.maximum(units - 1, 1), 1)
    seen = np.maximum(seen, of_image / (images * rounds))
    of_units = np.where(units < FEW_UNITS, of_image * concentration, seen)
    of_rounds = _shares(hits, whole).var(axis=0, ddof=1) / rounds if rounds > 1 else np.zeros_like(of_units)
    of_rounds = of_rounds * (np.pi / 2 if median else 1)  # the median of few is less certain than their mean
    variance = of_units + of_rounds
    number = np.where(of_image > 0, of_image / variance, 1 / concentration)
    freedom = satterthwaite(of_units, np.where(grouped, units, MANY), of_rounds, max(rounds - 1, 1))
    return number, freedom


def satterthwaite(first: np.ndarray, of_first: np.ndarray, second: np.ndarray, of_second: float) -> np.ndarray:
    """Degrees of freedom of a sum of two variances (Satterthwaite 1946); those of the first where both are 0."""
    below = first**2 / of_first + second**2 / of_second
    return np.divide((first + second) ** 2, below, out=np.array(of_first, dtype=np.float64), where=below > 0)


def student(freedom: np.ndarray, level: float = LEVEL) -> np.ndarray:
    """How many deviations a 95 % interval reaches to either side."""
    return stdtrit(np.minimum(freedom, MANY), level)


def _wilson(share: np.ndarray, number: np.ndarray, freedom: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    square = student(freedom) ** 2 / number
    middle = (share + square / 2) / (1 + square)
    reach = np.sqrt(square * (share * (1 - share) + square / 4)) / (1 + square)
    return np.clip(middle - reach, 0, share), np.clip(middle + reach, share, 1)
