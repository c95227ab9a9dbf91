"""The scores of one row of a table with their 95 % intervals, by what the score is and how many units its classes have.

- Recall, precision and F1 of a class, accuracy and adjacent accuracy: as proportions. AUC of a class: of two normal
  distributions.
- Means over classes: percentiles of the bootstrap; where a class has fewer than 10 units, for which resamples cannot
  stand, the intervals of the classes put together (method of variance estimates recovery; Zou and Donner 2008).
- Average precision, partial AUC and operating points, of a class or all: percentiles; none where the images of a class
  that they hang on have fewer than 10 units: all of them, but of the partial AUC and a specificity a tenth.
- A mean over the grade errors of classes: percentiles; none where a class has fewer than 10 units.
- Anything else: percentiles of the bootstrap.
- A calibration error: none, for it is never below 0, and resamples of it are larger than itself.
"""

from collections.abc import Sequence

import numpy as np

from lightning_imbal.score_names import OF_CLASS, OF_PROBABILITY, OF_RANKING
from lightning_imbal.stats.bootstrap import percentiles
from lightning_imbal.stats.proportions import MANY, Intervals, of_rounds, satterthwaite, student
from lightning_imbal.stats.rounds import Round, mean_known
from lightning_imbal.stats.unit_counts import FEW_UNITS, UnitCounts

NO_INTERVAL = (np.nan, np.nan)
# Means over classes, the score that they are the mean of, and whether a class without test images counts as 0.
MEANS = {
    "balanced_accuracy": ("recall", False),
    "recall": ("recall", True),
    "precision": ("precision", True),
    "f1": ("f1", True),
    **{key: (key, False) for key in OF_RANKING},
    "group_recall": ("recall", False),
    "group_f1": ("f1", True),
    "macro_grade_error": ("macro_grade_error", False),
}
WITH_INTERVALS = (*OF_CLASS, "auc")  # of a class, however few its units are
# Share of a class that others hang on: of what is above a sensitivity, its images with the least probability.
HANG_ON = {"ap": 1.0, "sensitivity_at_90": 1.0, "sensitivity_at_95": 1.0, "specificity_at_90": 0.1, "pauc": 0.1}
HANG_ON |= {"macro_grade_error": 1.0}
WITHOUT_INTERVALS = ("ece", "cce")
SIGNED = ("mcc", "kappa", "kendall_tau")
HIGHEST = {"pauc": 0.2, "brier": 2.0, "log_loss": np.inf}  # of others 1
GRADE_ERRORS = ("mean_grade_error", "macro_grade_error")  # highest where the first grade is taken for the last


class RowScores:
    """Scores of the rounds of one row.

    Args:
        rounds: Of the row.
        counts: What they got right.
        resampled: The score of each round in each resample of the test images, (S, R), by its key.
        observed: The score of each round, (S,), by its key.
        median: Whether the rounds are summed up by their median, not their mean.
    """

    def __init__(
        self,
        rounds: Sequence[Round],
        counts: UnitCounts,
        resampled: dict[str, np.ndarray],
        observed: dict[str, np.ndarray],
        median: bool = False,
    ) -> None:
        self.rounds, self.resampled, self.observed, self.median = rounds, resampled, observed, median
        first = rounds[0].joined
        self.class_names, self.groups = first.class_names, first.groups
        self.rarest = int(np.argmin(first.class_counts))
        self.counts = counts
        self.tested = self.counts.units > 0
        self._of_classes: dict[str, Intervals] = {}

    def value(self, key: str) -> float:
        """A score, averaged over the rounds."""
        return float((np.median if self.median else np.mean)(self.observed[key]))

    def averages(self, key: str) -> np.ndarray:
        """A score in each resample, averaged over the rounds that have it there, (R,)."""
        values = self.resampled[key]
        if self.median and len(values) > 1:
            return np.ma.median(np.ma.masked_invalid(values), axis=0).filled(np.nan)
        return mean_known(list(values))

    def by_images(self, key: str) -> float:
        """Share of the variance of a score that is by the choice of the images, not by the chance of training."""
        of_training, values = float(of_rounds(self.observed[key])), self.averages(key)
        of_images = values[~np.isnan(values)].var() if np.isfinite(values).any() else 0.0
        return float(of_images / (of_images + of_training)) if of_training > 0 else 1.0

    def interval(self, key: str) -> tuple[float, float]:
        """The 95 % interval of a score; NaN where there is none, and never one without width."""
        kind, _, part = key.partition("/")
        if kind in WITHOUT_INTERVALS:
            return NO_INTERVAL
        if key in ("accuracy", "adjacent_accuracy"):
            found = self.counts.accuracy(self.median, off=int(key == "adjacent_accuracy"))
            low, high = found.low[0], found.high[0]
        elif (c := self._class_of(key)) is not None and (key == "scr" or kind in WITH_INTERVALS):
            found = self.of_classes("recall" if key == "scr" else kind)
            low, high = found.low[c], found.high[c]
        elif self.few(key):
            low, high = self._recovered(key)
        else:
            low, high = self._percentiles(key)
        highest = len(self.class_names) - 1 if key in GRADE_ERRORS else HIGHEST.get(kind, 1.0)
        low, high = np.clip([low, high], -1 if key in SIGNED else 0, highest)
        return (float(low), float(high)) if low < high else NO_INTERVAL

    def few(self, key: str) -> bool:
        """Whether a class that a score is of, or is the mean over, was tested with fewer than 10 units that count."""
        units = self.counts.units[self._classes_of(key)] * HANG_ON.get(key.partition("/")[0], 1.0)
        return bool(((units > 0) & (units < FEW_UNITS)).any())

    def hangs_on(self, key: str) -> float:
        """On how many independent images a score hangs that is no mean of scores with intervals."""
        if (share := HANG_ON.get(key.partition("/")[0])) is None:
            return self.counts.all_effective
        effective = self.counts.effective[self._classes_of(key)]
        return share * float(effective[effective > 0].min(initial=self.counts.all_effective))

    def members(self, key: str) -> list[int]:
        """The classes that a score is the mean over; none if it is no such mean."""
        kind, _, part = key.partition("/")
        if kind not in MEANS or bool(part) != kind.startswith("group_"):
            return []
        return [self.class_names.index(name) for name in (self.groups[part] if part else self.class_names)]

    def of_classes(self, kind: str) -> Intervals:
        """Recall, precision, F1 or AUC of every class."""
        if kind not in self._of_classes:
            self._of_classes[kind] = self._auc() if kind == "auc" else self.counts.intervals(kind, self.median)
        return self._of_classes[kind]

    def weights(self, key: str) -> tuple[str, np.ndarray] | None:
        """The score of single classes that a score is, or is a mean of, and the weight of each class in it, (C,)."""
        kind, weight = "recall" if key == "scr" else key.partition("/")[0], np.zeros(len(self.class_names))
        c, members, all_count = self._class_of(key), self.members(key), False
        if members:
            kind, all_count = MEANS[kind]
        known = kind != "auc" or all(f"auc/{name}" in self.observed for name in self.class_names)
        if kind not in WITH_INTERVALS or not known:
            return None
        if c is not None:
            weight[c] = 1
            return kind, weight
        weight[members] = self.tested[members]
        return kind, weight / max(1, len(members) if all_count else weight.sum())

    def _class_of(self, key: str) -> int | None:
        """The class that a score is of."""
        kind, _, part = key.partition("/")
        if key == "scr":
            return self.rarest
        return self.class_names.index(part) if kind in (*OF_CLASS, *OF_PROBABILITY) and part else None

    def _classes_of(self, key: str) -> list[int]:
        """That, or those that it is the mean over."""
        return self.members(key) if (c := self._class_of(key)) is None else [c]

    def _recovered(self, key: str) -> tuple[float, float]:
        if (found := self.weights(key)) is None:
            return NO_INTERVAL
        kind, weight = found
        names = [f"{kind}/{name}" for name in self.class_names]
        together = correlation([self.averages(name) for name in names], [self.by_images(name) for name in names])
        return recovered(self.value(key), weight, self.of_classes(kind), together)

    def _auc(self) -> Intervals:
        values = np.stack([self.observed[f"auc/{name}"] for name in self.class_names], axis=1)  # (S, C)
        return self.counts.auc(values.mean(axis=0), of_rounds(values))

    def _percentiles(self, key: str) -> tuple[float, float]:
        """Percentiles of the resamples of the images; each end is moved out by what the rounds vary.

        And by Student's t and n / (n - 1) for the number of units, which makes a difference where there are few
        (Hesterberg 2015, Am. Stat. 69, section 5.3).
        """
        low, high = percentiles(self.averages(key))
        value, units = self.observed[key], max(self.counts.all_effective, 2.0)
        middle, of_training = self.value(key), np.full(2, of_rounds(value, self.median))
        reach = np.array([middle - low, high - middle])
        of_images = (reach / student(np.array(MANY))) ** 2 * units / (units - 1)
        freedom = satterthwaite(of_images, np.full(2, units - 1), of_training, max(len(value) - 1, 1))
        below, above = student(freedom) * np.sqrt(of_images + of_training)
        return middle - below, middle + above


def class_keys(round_: Round, counts: UnitCounts, keys: Sequence[str]) -> list[str]:
    """The scores of single classes that intervals are made of: of means over classes with few units, and of an AUC.

    Args:
        round_: One of the row.
        counts: Of all its rounds.
        keys: Of the scores that are asked for.
    """
    first = round_.joined
    few = {name for name, units in zip(first.class_names, counts.units, strict=True) if 0 < units < FEW_UNITS}
    kinds = []
    for key in keys:
        kind, _, part = key.partition("/")
        of_class, _ = MEANS.get(kind, ("", False))
        if of_class in WITH_INTERVALS and few.intersection(first.groups.get(part, first.class_names)):
            kinds.append(of_class)
        if part and kind == "auc":
            kinds.append(kind)
    return [f"{kind}/{name}" for kind in dict.fromkeys(kinds) for name in first.class_names]


def correlation(values: Sequence[np.ndarray], by_images: Sequence[float] | None = None) -> np.ndarray:
    """How resampled scores go together: their correlations, (K, K); 0 with one that does not vary.

    Args:
        values: Of each score in each resample, (R,); NaN counts as its mean.
        by_images: Share of the variance of each score that resamples show; the rest is taken not to go together.
    """
    table = np.stack(values)
    known = ~np.isnan(table)
    means = np.where(known, table, 0).sum(axis=1) / known.sum(axis=1).clip(min=1)
    centred = np.where(known, table - means[:, None], 0)
    deviation = np.sqrt((centred**2).sum(axis=1))
    scaled = np.divide(centred, deviation[:, None], out=np.zeros_like(centred), where=deviation[:, None] > 0)
    found = scaled @ scaled.T
    if by_images is not None:
        found *= np.sqrt(np.outer(by_images, by_images))
    np.fill_diagonal(found, 1)
    return found


def recovered(value: float, weight: np.ndarray, of_each: Intervals, together: np.ndarray) -> tuple[float, float]:
    """The interval of a weighted sum of scores, from theirs (Zou and Donner 2008, Stat. Med. 27, section 2).

    Args:
        value: The sum.
        weight: Of each score, (K,); below 0 where it is taken away.
        of_each: The scores with their intervals.
        together: Their correlations, (K, K).
    """
    counted = weight != 0
    weight, together = weight[counted], together[np.ix_(counted, counted)]
    # A class that was never predicted has a precision of 0 by definition, and no interval.
    down = np.nan_to_num(of_each.value - of_each.low)[counted]
    up = np.nan_to_num(of_each.high - of_each.value)[counted]
    below, above = (weight * np.where(weight > 0, *ends) for ends in ((down, up), (up, down)))
    return value - np.sqrt(max(0.0, below @ together @ below)), value + np.sqrt(max(0.0, above @ together @ above))
