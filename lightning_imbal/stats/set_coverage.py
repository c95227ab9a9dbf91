"""How well prediction sets do that were calibrated on the validation parts of the runs of a row."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lightning_imbal.decisions.conformal import coverage, prediction_sets
from lightning_imbal.runs.predictions import Predictions
from lightning_imbal.runs.run import Run
from lightning_imbal.stats.decided import labelled
from lightning_imbal.stats.proportions import Intervals
from lightning_imbal.stats.rounds import Round, mean_known, rounds_of
from lightning_imbal.stats.unit_counts import UnitCounts

ALPHA = 0.1  # the share of the sets that may lack the true class


@dataclass(frozen=True)
class SetsOfRow:
    """Sets for the test images of a row, averaged over its rounds. The last place of an array is that of all images.

    Args:
        coverage: Share of the images whose set holds the true class, with 95 % intervals, (C + 1,) each.
        mean_size: Classes per set, (C + 1,).
        referred: Share of the images whose set is empty or holds several classes, (C + 1,).
        in_every: Labels of the classes that some run puts into every set: it has too few images of them to calibrate.
    """

    coverage: Intervals
    mean_size: np.ndarray
    referred: np.ndarray
    in_every: list[int]


def sets_of(runs: Sequence[Run], per_class: bool, alpha: float = ALPHA) -> SetsOfRow | None:
    """Prediction sets of a row, each run's calibrated on its own validation part.

    Args:
        runs: Of the row.
        per_class: Whether each class has a threshold of its own, or all the same.
        alpha: The share of the sets that may lack the true class.

    Returns:
        How well they do; None if no round has predictions of the validation and the test part of all its runs.
    """
    hits, sizes, referred, in_every = [], [], [], set()
    for folds in rounds_of(runs):
        parts = [(run.validation, run.predictions) for run in folds]
        known = [(fitted_on, test) for fitted_on, test in parts if fitted_on is not None and test is not None]
        if len(known) < len(folds):
            continue
        fitted = [prediction_sets(labelled(fitted_on), alpha, per_class) for fitted_on, _ in known]
        sets = [each.sets(test.probability) for each, (_, test) in zip(fitted, known, strict=True)]
        hits.append(Round(tuple(_held(test, of_test) for (_, test), of_test in zip(known, sets, strict=True))))
        found = _of_classes(np.concatenate(sets), hits[-1].joined.label)
        sizes.append(found[0])
        referred.append(found[1])
        in_every |= {int(c) for each in fitted for c in np.flatnonzero(each.threshold == 0)}
    if not hits:
        return None
    counts = UnitCounts(hits)
    of_classes, of_all = counts.intervals("recall"), counts.accuracy()
    both = (np.append(getattr(of_classes, end), getattr(of_all, end)) for end in Intervals.NAMES)
    return SetsOfRow(Intervals(*both), mean_known(sizes), mean_known(referred), sorted(in_every))


def _held(test: Predictions, sets: np.ndarray) -> Predictions:
    """The predictions as if an image were answered right where its set holds its class: coverage is a recall."""
    held = sets[np.arange(len(test.label)), test.label]
    return replace(test, decided=np.where(held, test.label, (test.label + 1) % sets.shape[1]))


def _of_classes(sets: np.ndarray, label: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean size and share referred, of the images of each class and of all, (C + 1,); NaN of a class without images."""
    rows = [label == c for c in range(sets.shape[1])] + [np.full(len(label), True)]
    scores = [coverage(sets[of_class], label[of_class]) if of_class.any() else None for of_class in rows]
    size, referred = (
        np.array([np.nan if each is None else getattr(each, name) for each in scores])
        for name in ("mean_size", "referred")
    )
    return size, referred
