"""The scores of many resamples of a test set at once."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from lightning_imbal.decisions.confusions import PER_GROUP, SUMMARY, answer_score, mean, ratio
from lightning_imbal.runs.predictions import Predictions
from lightning_imbal.score_names import OF_CLASS, OF_PROBABILITY, OF_RANKING
from lightning_imbal.stats.resamples import Resamples, TestSet

MAX_ELEMENTS = 1_000_000  # of an array over resamples: what fits into a processor's cache
AT_LEAST = 16  # resamples at once: how often an image is drawn in them is read together


def resampled_scores(
    predictions: Predictions,
    weight: np.ndarray,
    names: Sequence[str],
    of_image: np.ndarray | None = None,
    unit: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """Scores many resamples of the same images; only what is asked for is computed.

    Keys and definitions are those of `lightning_imbal.metrics.classification_scores`, and so are the values where all
    weights are one. A class that the test set lacks counts as it does there. A class that the test set has but a
    resample lacks is left out of that resample: its own scores are NaN, and it does not count in any mean over classes,
    which is NaN if no class is left. All scores of a resample without images are NaN.

    Args:
        predictions: Of N images.
        weight: How often each image counts in each of R resamples, (R, N), or each unit, (R, U); read fastest in
            Fortran order.
        names: Keys of the scores.
        of_image: How much each image counts beside, in all resamples, (N,); None is one.
        unit: The unit of each image, (N,): its column of `weight`; None where each image has its own.

    Returns:
        The values of each score, (R,) float64.

    Raises:
        ValueError: If a name is no score of these classes and groups.
    """
    test = TestSet(predictions)
    step = max(AT_LEAST, MAX_ELEMENTS // max(len(test.label), test.num_classes**2))
    parts = []
    for start in range(0, len(weight), step):
        part = weight[start : start + step]
        if unit is not None:
            part = part.T[unit].T
        resamples = Resamples(test, part if of_image is None else part * of_image)
        parts.append([np.where(resamples.total > 0, _score(resamples, name), np.nan) for name in names])
    return {name: np.concatenate(values) for name, values in zip(names, zip(*parts, strict=True), strict=True)}


def _score(resamples: Resamples, name: str) -> np.ndarray:
    if (found := answer_score(resamples, name)) is not None:
        return found
    classes, groups = resamples.test.class_names, resamples.test.groups
    key, _, part = name.partition("/")
    if name in OF_PROBABILITIES:
        return OF_PROBABILITIES[name](resamples)
    if key in OF_PROBABILITY and part in classes:
        return _of_probability(resamples, key, classes.index(part))
    of_class, of_group = (f"{key}/CLASS" for key in (*OF_CLASS, *OF_PROBABILITY)), (f"{key}/GROUP" for key in PER_GROUP)
    keys = ", ".join([*SUMMARY, *OF_PROBABILITIES, *of_class, *of_group])
    raise ValueError(f"{name!r} is no score of classes {classes} and groups {tuple(groups)}: give one of {keys}.")


def _of_probability(resamples: Resamples, key: str, c: int) -> np.ndarray:
    if key == "cce":
        return np.where(resamples.kept[c], resamples.class_calibration[c], np.nan)
    if not resamples.test.ranked[c]:
        return np.full_like(resamples.total, OF_RANKING[key])
    return np.where(resamples.ranked[c], resamples.ranking(key)[c], np.nan)


def _macro_ranking(resamples: Resamples, key: str) -> np.ndarray:
    if not resamples.test.ranked.any():
        return np.full_like(resamples.total, OF_RANKING[key])
    return mean(resamples.ranking(key), resamples.ranked)


def _ece(resamples: Resamples) -> np.ndarray:
    """Expected calibration error (Guo et al. 2017, eq. 3)."""
    return ratio(np.abs(resamples.test.bins @ resamples.weight).sum(axis=0), resamples.total)


def _cce(resamples: Resamples) -> np.ndarray:
    return mean(resamples.class_calibration, resamples.kept)


def _of_images(resamples: Resamples, key: str) -> np.ndarray:
    return ratio(resamples.test.errors[key] @ resamples.weight, resamples.total)


OF_PROBABILITIES: dict[str, Callable[[Resamples], np.ndarray]] = {
    **{key: partial(_macro_ranking, key=key) for key in OF_RANKING},
    "ece": _ece,
    "cce": _cce,
    "brier": partial(_of_images, key="brier"),
    "log_loss": partial(_of_images, key="log_loss"),
}
