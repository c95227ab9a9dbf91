"""Intervals and tests of the scores in a table."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from scipy.special import ndtr
from scipy.stats import binomtest

from lightning_imbal.runs.predictions import Predictions, labels_of, mean_probability
from lightning_imbal.stats.resampled_scores import resampled_scores

SIGNIFICANT = 0.05
MAX_DRAWN = 10_000_000  # units drawn at once
AVERAGES = {"mean": pd.DataFrame.mean, "median": pd.DataFrame.median}  # over the runs of a row
ROUNDING = 1e-12  # of an average, from the order in which it is summed up


def draw(units: int, resamples: int = 2000, seed: int = 0) -> np.ndarray:
    """Draws as many units as there are, with replacement.

    Each resample is the one that `scipy.stats.bootstrap` takes of `units` units with `rng=seed`.

    Returns:
        How often each unit is drawn in each resample, (R, U) unsigned integers.
    """
    rng = np.random.default_rng(seed)
    count = np.empty((units, resamples), dtype=np.min_scalar_type(units)).T  # its columns are taken
    step = max(1, MAX_DRAWN // max(1, units))
    for start in range(0, resamples, step):
        part = count[start : start + step]
        unit = rng.integers(0, units, part.shape) + units * np.arange(len(part))[:, None]
        part[:] = np.bincount(unit.ravel(), minlength=part.size).reshape(part.shape)
    return count


def resampled_averages(
    runs: dict[str, list[Predictions]],
    names: Sequence[str],
    average: Literal["mean", "median"] = "mean",
    resamples: int = 2000,
    seed: int = 0,
) -> dict[str, dict[str, np.ndarray]]:
    """Scores the same resamples for all rows of a block of a table, so that any two rows can be compared in pairs.

    Units, not images, are drawn, once for the whole block: from the sorted units of all its test images. Each run is
    scored on those of its images that are drawn. Several seeds so see the same resample of the same images, and each
    fold the part of the resample that is in its test part. Of seeds, runs of a row on the same images, as many as there
    are are drawn as well, with replacement and alike for all rows that have so many: the resamples then hold the chance
    of training too.

    Args:
        runs: The runs of each row: its seeds, its folds, or both.
        names: Keys of the scores, as in `resampled_scores`.
        average: Taken over the runs of a row, without those whose score is NaN in a resample.
        resamples: How often to resample.
        seed: Of the drawing.

    Returns:
        The averages of each row and score, (R,); NaN where no run has the score.
    """
    take = AVERAGES[average]
    units = pd.Index(sorted(set().union(*(run.unit for row in runs.values() for run in row))), dtype=object)
    count = draw(len(units), resamples, seed)

    def averages(row: list[Predictions]) -> dict[str, np.ndarray]:
        scores = [resampled_scores(run, count.T[units.get_indexer(run.unit)].T, names) for run in row]
        tables = {name: np.reshape([run[name] for run in scores], (-1, resamples)) for name in names}
        if are_seeds(row):
            drawn = np.random.default_rng([seed, len(row)]).integers(0, len(row), (len(row), resamples))
            tables = {name: np.take_along_axis(table, drawn, axis=0) for name, table in tables.items()}
        return {name: take(pd.DataFrame(table)).to_numpy(dtype=np.float64) for name, table in tables.items()}

    return {name: averages(row) for name, row in runs.items()}


def are_seeds(row: list[Predictions]) -> bool:
    """Whether there are several runs, all tested on the same images, as folds are not."""
    return len(row) > 1 and all(np.array_equal(run.image, row[0].image) for run in row)


def interval(values: np.ndarray) -> tuple[float, float]:
    """95 % percentile interval of resampled values, without those that are NaN; NaN if nothing is left."""
    values = values[~np.isnan(values)]
    low, high = np.quantile(values, [0.025, 0.975]) if len(values) else (np.nan, np.nan)
    return float(low), float(high)


def paired_p_value(row: np.ndarray, baseline: np.ndarray) -> float:
    """Two-sided bootstrap p-value of the difference between a row and the baseline, resample by resample.

    Twice the smaller of the shares of differences that are at most and at least 0, each (k + 1) / (R + 1), at most 1.
    Where all differences are on one side, twice the tail of the normal distribution with their mean and deviation, if
    that is smaller: corrected for 50 rows, a share of 1 in 2,001 would never be significant. Resamples where either is
    NaN are left out; NaN if nothing is left.
    """
    difference = row - baseline
    difference = difference[~np.isnan(difference)]
    if len(difference) == 0:
        return np.nan
    smaller = min((difference <= ROUNDING).sum(), (difference >= -ROUNDING).sum())
    p_value = min(1.0, float(2 * (smaller + 1) / (len(difference) + 1)))
    deviation = difference.std()
    if smaller or deviation <= ROUNDING:
        return p_value
    return min(p_value, float(2 * ndtr(-abs(difference.mean()) / deviation)))


def mcnemar_p_value(row: list[Predictions], baseline: list[Predictions]) -> float:
    """Exact McNemar test of whether a row and the baseline classify the same images correctly.

    An image that several runs (seeds) have predicted counts once, with the mean of their probabilities.

    Returns:
        The p-value; NaN if the two do not have the same test images.
    """
    first, second = _correct(row), _correct(baseline)
    if not first.index.equals(second.index) or first.empty:
        return np.nan
    only_row, only_baseline = int((first > second).sum()), int((first < second).sum())
    discordant = only_row + only_baseline
    if not discordant:
        return 1.0
    # Twice one tail is the two-sided value; beside the middle it may come to a little more than 1.
    return min(1.0, 2 * float(binomtest(min(only_row, only_baseline), discordant, alternative="less").pvalue))


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusts p-values for their number (Holm 1979); NaN stays NaN and does not count."""
    adjusted = np.array(p_values, dtype=np.float64)
    rising = adjusted.argsort()[: (~np.isnan(adjusted)).sum()]  # NaN is sorted to the end
    adjusted[rising] = np.maximum.accumulate(adjusted[rising] * np.arange(len(rising), 0, -1)).clip(max=1)
    return adjusted.tolist()


def _correct(runs: list[Predictions]) -> pd.Series:
    """Whether the ensemble of the runs classifies each image correctly (1 or 0), by image."""
    if not runs:
        return pd.Series(dtype=np.int64)
    label = labels_of(runs)
    return (mean_probability(runs).argmax(axis=1) == label).astype(np.int64).sort_index()
