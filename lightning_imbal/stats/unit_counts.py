"""Intervals of recall, precision, F1 and AUC of classes, which hold where a class has few images or is always found."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtri, owens_t

from lightning_imbal.stats.proportions import MANY, Intervals, of_rounds, satterthwaite, student, wilson_ends
from lightning_imbal.stats.rounds import Round

FEW_UNITS = 10  # of a class: below, what its scores vary by cannot be seen from its units


class UnitCounts:
    """What the rounds of a row got right, by unit (lesion, patient, or image where none is known) and class.

    Only the pairs of a unit and a class that occur, P of U * C, are kept. Where each unit counts once, its images count
    by their weights.

    Args:
        rounds: Of one row.

    Attributes:
        units: Number of units of each class that were tested, (C,).
        effective: How many units of one size would vary as much if the images of each were alike, (C,).
        all_effective: The same of all classes together.
    """

    def __init__(self, rounds: Sequence[Round]) -> None:
        joined = [each.joined for each in rounds]
        self._classes = len(joined[0].class_names)
        code, known = pd.factorize(np.concatenate([each.unit for each in joined]))
        label = np.concatenate([each.label for each in joined])
        guess = np.concatenate([each.answers for each in joined])
        pair, place = np.unique(np.concatenate([code * self._classes + c for c in (label, guess)]), return_inverse=True)
        self._unit, self._class = np.divmod(pair, self._classes)
        of_label, of_guess = np.split(place, 2)
        ends, number = np.cumsum([len(each.label) for each in joined])[:-1], len(pair)

        def count(places: np.ndarray, weight: np.ndarray) -> np.ndarray:
            parts = zip(np.split(places, ends), np.split(weight, ends), strict=True)
            return np.stack([np.bincount(each, of_each, number) for each, of_each in parts])  # (rounds, P)

        weight = np.concatenate([each.image_weight for each in rounds])

        def counts(of_images: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            return count(of_label, of_images), count(of_guess, of_images), count(of_label, of_images * (label == guess))

        self._true, self._predicted, self._hits = of_weights = counts(weight)
        self._near = count(of_label, weight * (np.abs(label - guess) <= 1))
        # Of the squares of the weights, which are the same where each image counts as one.
        self._squares = counts(weight**2) if any(each.units_once for each in rounds) else of_weights
        true = self._true.mean(axis=0)
        of_unit = np.bincount(self._unit, true, len(known))
        self.units = self._add((true > 0).astype(np.float64)).astype(int)
        self.effective = _ratio(self._add(true) ** 2, self._add(true**2))
        self.all_effective = float(of_unit.sum() ** 2 / (of_unit**2).sum())
        # Of all other classes together.
        others = (of_unit**2).sum() - self._add((2 * of_unit[self._unit] - true) * true)
        self._effective_others = _ratio((of_unit.sum() - self._add(true)) ** 2, others)

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
        counted = _Counted(
            self._hits,
            _whole(score, self._true, self._predicted, self._hits),
            _whole(score, *self._squares),
            self._class,
            self._classes,
        )
        take = np.median if median else np.mean
        with np.errstate(invalid="ignore", divide="ignore"):
            if score == "f1":
                value = take(2 * counted.shares / (1 + counted.shares), axis=0)
                low, high = wilson_ends(value / (2 - value), *_size(counted, value / (2 - value), median))
                low, high = 2 * low / (1 + low), 2 * high / (1 + high)
            else:
                value = take(counted.shares, axis=0)
                low, high = wilson_ends(value, *_size(counted, value, median))
        tested = (self._add(self._true) > 0).all(axis=0)
        return Intervals(*(np.where(tested, each, np.nan) for each in (value, low, high)))

    def accuracy(self, median: bool = False, off: int = 0) -> Intervals:
        """That of the share of all images that are classified right, as of a single class, (1,).

        Args:
            median: As of `intervals`.
            off: By how many grades an answer may be off to count as right: 0 or 1.
        """
        units = int(self._unit.max()) + 1
        right = self._near if off else self._hits
        of_images = (right, self._true, self._squares[0])
        hits, whole, squares = (_sums(each, self._unit, units) for each in of_images)
        counted = _Counted(hits, whole, squares, np.zeros(units, dtype=np.int64), 1)
        with np.errstate(invalid="ignore", divide="ignore"):
            value = (np.median if median else np.mean)(counted.shares, axis=0)
            return Intervals(value, *wilson_ends(value, *_size(counted, value, median)))

    def auc(self, value: np.ndarray, of_training: np.ndarray) -> Intervals:
        """Intervals of the AUC of every class against all others.

        They hold the areas from which the observed one is no further than 1.96 of their own deviations (Newcombe 2006,
        Stat. Med. 25, method 5). Those are of two normal distributions (Hanley and McNeil 1982, Radiology 143, eq. 1),
        with images of a unit taken to be alike.

        Args:
            value: The areas, averaged over the rounds, (C,).
            of_training: Variance of that average by the chance of training, (C,).
        """
        area = np.linspace(0, 1, 2001)[:, None]
        with np.errstate(invalid="ignore", divide="ignore"):
            # That two images of one class are both above one of another, or the other way round.
            both = area - 2 * owens_t(ndtri(area), 3**-0.5)
            variance = (both - area**2) * (1 / self.effective + 1 / self._effective_others)
            freedom = satterthwaite(variance, np.full(variance.shape, MANY), of_training, max(len(self._true) - 1, 1))
            near = np.abs(area - value) <= student(freedom) * np.sqrt(variance + of_training)
        low, high = np.where(near, area, 2).min(axis=0), np.where(near, area, -1).max(axis=0)
        known = np.isfinite(value) & near.any(axis=0)
        ends = value, np.minimum(low, value), np.maximum(high, value)
        return Intervals(*(np.where(known, each, np.nan) for each in ends))

    def _add(self, values: np.ndarray) -> np.ndarray:
        """Sums over the units of each class, (..., P) to (..., C)."""
        return _sums(values, self._class, self._classes)


@dataclass(frozen=True)
class _Counted:
    """Hits of each round and pair, (S, P), and what they are a share of.

    Of that also the squares of the images' weights, (S, P); and the class of each pair, (P,).
    """

    hits: np.ndarray
    whole: np.ndarray
    squares: np.ndarray
    place: np.ndarray
    classes: int

    @property
    def shares(self) -> np.ndarray:
        """Of each round and class, (S, C)."""
        return self.add(self.hits) / self.add(self.whole)

    def add(self, values: np.ndarray) -> np.ndarray:
        """Sums over the units of each class, (..., P) to (..., C)."""
        return _sums(values, self.place, self.classes)


def _sums(values: np.ndarray, place: np.ndarray, number: int) -> np.ndarray:
    if values.ndim > 1:
        return np.stack([_sums(each, place, number) for each in values])
    return np.bincount(place, values, number)


def _whole(score: str, true: np.ndarray, predicted: np.ndarray, hits: np.ndarray) -> np.ndarray:
    """What the hits are a share of: of F1 what is of a class, or taken for it."""
    return {"recall": true, "precision": predicted}.get(score, true + predicted - hits)


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """n^2 / sum m^2 of units of m images each (Kish 1965); 0 where there are none."""
    return np.divide(numerator, denominator, out=np.zeros_like(denominator), where=denominator > 0)


def _size(counted: _Counted, share: np.ndarray, median: bool) -> tuple[np.ndarray, np.ndarray]:
    """How many independent images would vary as much, and the degrees of freedom, each (C,).

    Args:
        counted: The hits.
        share: Over all rounds, (C,).
        median: Whether it is the median over the rounds.
    """
    hits, whole, shares, rounds = counted.hits, counted.whole, counted.shares, len(counted.hits)
    images = counted.add(whole)  # (S, C)
    units = counted.add(np.any(whole > 0, axis=0).astype(np.float64))
    # Several images of a unit: the square of their sum is more than the sum of their squares.
    grouped = counted.add(np.any(whole**2 > counted.squares, axis=0).astype(np.float64)) > 0
    alike = _ratio(images**2, counted.add(counted.squares))  # so many images of one weight would vary as much
    of_image = share * (1 - share)
    # If all images of a unit were alike: sum m^2 / n times the variance of single ones.
    concentration = (counted.add(whole**2) / images**2).mean(axis=0)
    influence = ((hits - shares[:, counted.place] * whole) / images[:, counted.place]).mean(axis=0)
    seen = counted.add(influence**2) * np.where(grouped, units / np.maximum(units - 1, 1), 1)
    seen = np.maximum(seen, of_image / (alike.mean(axis=0) * rounds))
    of_units = np.where(units < FEW_UNITS, of_image * concentration, seen)
    of_training = of_rounds(shares, median)
    number = np.where(of_image > 0, of_image / (of_units + of_training), 1 / concentration)
    return number, satterthwaite(of_units, np.where(grouped, units, MANY), of_training, max(rounds - 1, 1))
