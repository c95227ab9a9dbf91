"""The scores of many resamples of a test set at once."""

from collections.abc import Callable, Sequence

import numpy as np

from lightning_imbal.decisions.confusions import PER_GROUP, SUMMARY, answer_score, mean, ratio
from lightning_imbal.runs.predictions import Predictions
from lightning_imbal.score_names import OF_CLASS
from lightning_imbal.stats.resamples import Resamples, TestSet

MAX_ELEMENTS = 1_000_000  # of an array over resamples: what fits into a processor's cache


def resampled_scores(predictions: Predictions, weight: np.ndarray, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Scores many resamples of the same images; only what is asked for is computed.

    Keys and definitions are those of `lightning_imbal.metrics.classification_scores`, and so are the values where all
    weights are one; beside them there is `auc/<class>`, that class against all others. A class that the test set lacks
    counts as it does there. A class that the test set has but a resample lacks is left out of that resample: its own
    scores are NaN, and it does not count in any mean over classes, which is NaN if no class is left. All scores of a
    resample without images are NaN.

    Args:
        predictions: Of N images.
        weight: How often each image counts in each of R resamples, (R, N); read fastest in Fortran order.
        names: Keys of the scores.

    Returns:
        The values of each score, (R,) float64.

    Raises:
        ValueError: If a name is no score of these classes and groups.
    """
    test = TestSet(predictions)
    step = max(1, MAX_ELEMENTS // max(weight.shape[1], test.num_classes**2))
    parts = []
    for start in range(0, len(weight), step):
        resamples = Resamples(test, weight[start : start + step])
        parts.append([np.where(resamples.total > 0, _score(resamples, name), np.nan) for name in names])
    return {name: np.concatenate(values) for name, values in zip(names, zip(*parts, strict=True), strict=True)}


def _score(resamples: Resamples, name: str) -> np.ndarray:
    if (found := answer_score(resamples, name)) is not None:
        return found
    classes, groups = resamples.test.class_names, resamples.test.groups
    key, _, part = name.partition("/")
    if name in OF_PROBABILITY:
        return OF_PROBABILITY[name](resamples)
    if key == "auc" and part in classes:
        c = classes.index(part)
        return np.where(resamples.ranked[c], resamples.auc[c], np.nan)
    per_class, per_group = (f"{key}/CLASS" for key in OF_CLASS), (f"{key}/GROUP" for key in PER_GROUP)
    keys = ", ".join([*SUMMARY, *OF_PROBABILITY, *per_class, *per_group])
    raise ValueError(f"{name!r} is no score of classes {classes} and groups {tuple(groups)}: give one of {keys}.")


def _auc(resamples: Resamples) -> np.ndarray:
    if resamples.test.present.sum() == 1:
        return np.full_like(resamples.total, 0.5)
    return mean(resamples.auc, resamples.ranked)


def _ece(resamples: Resamples) -> np.ndarray:
    """Expected calibration error (Guo et al. 2017, eq. 3)."""
    return ratio(np.abs(resamples.test.bins @ resamples.weight).sum(axis=0), resamples.total)


OF_PROBABILITY: dict[str, Callable[[Resamples], np.ndarray]] = {"auc": _auc, "ece": _ece}
