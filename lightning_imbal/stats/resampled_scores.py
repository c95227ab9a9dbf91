"""The scores of many resamples of a test set at once."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from lightning_imbal.runs.predictions import Predictions
from lightning_imbal.score_names import OF_CLASS, OF_PROBABILITY, OF_RANKING
from lightning_imbal.stats.resamples import Resamples, TestSet, mean
from lightning_imbal.stats.thresholds import ratio

MAX_ELEMENTS = 1_000_000  # of an array over resamples: what fits into a processor's cache


def resampled_scores(predictions: Predictions, weight: np.ndarray, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Scores many resamples of the same images; only what is asked for is computed.

    Keys and definitions are those of `lightning_imbal.metrics.classification_scores`, and so are the values where all
    weights are one. A class that the test set lacks counts as it does there. A class that the test set has but a
    resample lacks is left out of that resample: its own scores are NaN, and it does not count in any mean over classes,
    which is NaN if no class is left. All scores of a resample without images are NaN.

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
    classes, groups = resamples.test.class_names, resamples.test.groups
    key, _, part = name.partition("/")
    if name in SUMMARY:
        return SUMMARY[name](resamples)
    if key in OF_CLASS and part in classes:
        return _of_class(resamples, key, classes.index(part))
    if key in OF_PROBABILITY and part in classes:
        return _of_probability(resamples, key, classes.index(part))
    if key in PER_GROUP and part in groups:
        return PER_GROUP[key](resamples, [classes.index(member) for member in groups[part]])
    of_class = (f"{key}/CLASS" for key in (*OF_CLASS, *OF_PROBABILITY))
    keys = ", ".join([*SUMMARY, *of_class, *(f"{key}/GROUP" for key in PER_GROUP)])
    raise ValueError(f"{name!r} is no score of classes {classes} and groups {tuple(groups)}: give one of {keys}.")


def _of_class(resamples: Resamples, key: str, c: int) -> np.ndarray:
    return np.where(resamples.kept[c], resamples.per_class[key][c], np.nan)


def _of_probability(resamples: Resamples, key: str, c: int) -> np.ndarray:
    if key == "cce":
        return np.where(resamples.kept[c], resamples.class_calibration[c], np.nan)
    if not resamples.test.ranked[c]:
        return np.full_like(resamples.total, OF_RANKING[key])
    return np.where(resamples.ranked[c], resamples.ranking(key)[c], np.nan)


def _accuracy(resamples: Resamples) -> np.ndarray:
    return ratio(resamples.hits.sum(axis=0), resamples.total)


def _balanced_accuracy(resamples: Resamples) -> np.ndarray:
    return mean(resamples.per_class["recall"], resamples.true > 0)


def _macro(resamples: Resamples, key: str) -> np.ndarray:
    return mean(resamples.per_class[key], resamples.kept)


def _scr(resamples: Resamples) -> np.ndarray:
    return _of_class(resamples, "recall", resamples.test.rarest)


def _group_recall(resamples: Resamples, members: list[int]) -> np.ndarray:
    seen = [c for c in members if resamples.test.present[c]]
    if not seen:
        return np.zeros_like(resamples.total)
    return mean(resamples.per_class["recall"][seen], resamples.true[seen] > 0)


def _group_f1(resamples: Resamples, members: list[int]) -> np.ndarray:
    return mean(resamples.per_class["f1"][members], resamples.kept[members])


def _macro_ranking(resamples: Resamples, key: str) -> np.ndarray:
    if not resamples.test.ranked.any():
        return np.full_like(resamples.total, OF_RANKING[key])
    return mean(resamples.ranking(key), resamples.ranked)


def _mcc(resamples: Resamples) -> np.ndarray:
    """Matthews correlation (Gorodkin 2004)."""
    true, predicted = resamples.true, resamples.predicted
    covariance = resamples.total * resamples.hits.sum(axis=0) - (true * predicted).sum(axis=0)
    return _if_varied(resamples, covariance, resamples.unlike_pairs)


def _kappa(resamples: Resamples) -> np.ndarray:
    """Cohen's kappa with quadratic weights."""
    rank = np.arange(resamples.test.num_classes)
    distance = (rank[:, None] - rank) ** 2.0
    expected = (resamples.true * (distance @ resamples.predicted)).sum(axis=0)
    return _if_varied(resamples, expected - resamples.total * np.tensordot(distance, resamples.confusion), expected)


def _kendall_tau(resamples: Resamples) -> np.ndarray:
    """Tau-b: concordant less discordant pairs (each in both orders), relative to `unlike_pairs`."""
    surplus = _higher_less_lower(_higher_less_lower(resamples.confusion, axis=0), axis=1)
    return _if_varied(resamples, np.einsum("tpr,tpr->r", resamples.confusion, surplus), resamples.unlike_pairs)


def _ece(resamples: Resamples) -> np.ndarray:
    """Expected calibration error (Guo et al. 2017, eq. 3)."""
    return ratio(np.abs(resamples.test.bins @ resamples.weight).sum(axis=0), resamples.total)


def _cce(resamples: Resamples) -> np.ndarray:
    return mean(resamples.class_calibration, resamples.kept)


def _of_images(resamples: Resamples, key: str) -> np.ndarray:
    return ratio(resamples.test.errors[key] @ resamples.weight, resamples.total)


def _if_varied(resamples: Resamples, numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """The ratio; 0 where labels or predictions are constant."""
    return ratio(numerator, np.where(resamples.varied, denominator, 0))


def _higher_less_lower(images: np.ndarray, axis: int) -> np.ndarray:
    """Images in all higher classes less those in all lower ones, for each class along an axis."""
    running = images.cumsum(axis=axis)
    return running.take([-1], axis=axis) - 2 * running + images


SUMMARY: dict[str, Callable[[Resamples], np.ndarray]] = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "f1": partial(_macro, key="f1"),
    "precision": partial(_macro, key="precision"),
    "recall": partial(_macro, key="recall"),
    "scr": _scr,
    **{key: partial(_macro_ranking, key=key) for key in OF_RANKING},
    "mcc": _mcc,
    "kappa": _kappa,
    "kendall_tau": _kendall_tau,
    "ece": _ece,
    "cce": _cce,
    "brier": partial(_of_images, key="brier"),
    "log_loss": partial(_of_images, key="log_loss"),
}
PER_GROUP = {"group_recall": _group_recall, "group_f1": _group_f1}
