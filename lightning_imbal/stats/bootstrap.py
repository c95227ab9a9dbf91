"""Resamples of the test images of a table, the same for all its rows."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from lightning_imbal.stats.rounds import Round

SIGNIFICANT = 0.05
MAX_DRAWN = 200_000  # units drawn at once: what fits into a processor's cache


def draw(units: int, resamples: int = 2000, seed: int = 0) -> np.ndarray:
    """Draws as many units as there are, with replacement.

    Each resample is the one that `scipy.stats.bootstrap` takes of `units` units with `rng=seed`.

    Returns:
        How often each unit is drawn in each resample, (R, U) uint8: one of fewer than 256 units cannot be drawn more
        often, and one of more is not, by a chance below 1e-490.
    """
    rng = np.random.default_rng(seed)
    count = np.empty((units, resamples), dtype=np.uint8).T  # its columns are taken
    step = max(1, MAX_DRAWN // max(1, units))
    for start in range(0, resamples, step):
        part = count[start : start + step]
        unit = rng.integers(0, units, part.shape, dtype=np.uint32).view(np.int32)  # the numbers that int64 gives
        ends = np.arange(len(part) + 1) * units
        part[:] = csr_array((np.ones(unit.size, dtype=np.uint8), unit.ravel(), ends), shape=part.shape).toarray()
    return count


def resampled_rounds(
    rows: dict[str, list[Round]], names: Sequence[str], count: np.ndarray, units: pd.Index | None = None
) -> dict[str, dict[str, np.ndarray]]:
    """Scores the same resamples for all rows of a block of a table, so that any two rows can be compared in pairs.

    Units, not images, are drawn, once for the whole block: from the sorted units of all its test images. Each round is
    scored on those of its images that are drawn, so that several seeds see the same resample of the same images.

    Args:
        rows: The rounds of each row.
        names: Keys of the scores, as in `resampled_scores`.
        count: How often each of the units is drawn in each of R resamples, (R, U), as `draw` has it.
        units: They; by default `units_of(rows)`.

    Returns:
        The scores of each row, by their keys: of each round in each resample, (S, R); NaN where it has none.
    """
    units = units_of(rows) if units is None else units

    def of_rounds(rounds: list[Round]) -> dict[str, np.ndarray]:
        found = [each.scores(names, count, units.get_indexer(each.joined.unit)) for each in rounds]
        return {name: np.stack([scores[name] for scores in found]) for name in names}

    return {row: of_rounds(rounds) for row, rounds in rows.items()}


def units_of(rows: dict[str, list[Round]]) -> pd.Index:
    """All units that rows were tested on, sorted."""
    runs = [each.joined for rounds in rows.values() for each in rounds]
    return pd.Index(sorted(set().union(*(run.unit for run in runs))), dtype=object)


def percentiles(values: np.ndarray) -> tuple[float, float]:
    """The 95 % percentile interval of resampled values, without those that are NaN; NaN if nothing is left."""
    values = values[~np.isnan(values)]
    low, high = np.quantile(values, [0.025, 0.975]) if len(values) else (np.nan, np.nan)
    return float(low), float(high)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusts p-values for their number (Holm 1979); NaN stays NaN and does not count."""
    adjusted = np.array(p_values, dtype=np.float64)
    rising = adjusted.argsort()[: (~np.isnan(adjusted)).sum()]  # NaN is sorted to the end
    adjusted[rising] = np.maximum.accumulate(adjusted[rising] * np.arange(len(rising), 0, -1)).clip(max=1)
    return adjusted.tolist()
