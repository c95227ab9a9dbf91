"""How often prediction sets hold the true class, and how large they are."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lightning_imbal.decisions.conformal import coverage, prediction_sets
from lightning_imbal.errors import UserError
from lightning_imbal.runs.run import Run
from lightning_imbal.stats.decided import Fitted, labelled


@dataclass(frozen=True, eq=False)
class SetsOfRuns:
    """Prediction sets of the test images of several runs; means over the runs.

    Args:
        promised: How often the true class is to be in the set.
        images: Test images of each class, of all runs together, (C,).
        coverage: How often the true class is in the set, by class, (C,); NaN without images.
        covered: The same of all images.
        mean_size: Classes per set.
        referred: Share of the images whose set is not a single class.
        notes: On classes for which nothing can be promised.
    """

    promised: float
    images: np.ndarray
    coverage: np.ndarray
    covered: float
    mean_size: float
    referred: float
    notes: list[str]


def sets_of_runs(runs: Sequence[Run], fitted: Sequence[Fitted], promised: float, per_class: bool) -> SetsOfRuns:
    """Fits prediction sets to the validation images of each run, and looks at those of its test images.

    Args:
        runs: All with predictions.
        fitted: Their validation images.
        promised: How often the true class is to be in the set.
        per_class: Whether that is promised of each class, or of all images together.

    Raises:
        UserError: What is promised is not between 0 and 1.
    """
    if not 0 < promised < 1:
        raise UserError(f"--sets is {promised:g}: give a share above 0 and below 1, such as 0.9.")
    scores, notes, images = [], [], []
    for run, each in zip(runs, fitted, strict=True):
        known = run.predictions
        assert known is not None
        sets = prediction_sets(labelled(each.images), 1 - promised, per_class)
        scores.append(coverage(sets.sets(known.probability), known.label))
        notes += sets.notes
        images.append(np.bincount(known.label, minlength=len(known.class_names)))
    covered, mean_size, referred = (
        float(np.mean([getattr(score, name) for score in scores])) for name in ("covered", "mean_size", "referred")
    )
    return SetsOfRuns(
        promised,
        np.sum(images, axis=0),
        np.mean([score.coverage for score in scores], axis=0),
        covered,
        mean_size,
        referred,
        list(dict.fromkeys(notes)),
    )
