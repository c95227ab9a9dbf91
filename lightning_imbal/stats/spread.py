"""How far two rows of a table may differ by chance, and how unlikely what was observed then is."""

import numpy as np
from scipy.special import stdtr

from lightning_imbal.stats.proportions import MANY, satterthwaite
from lightning_imbal.stats.row_scores import RowScores

ROUNDING = 1e-12  # of an average, from the order in which it is summed up


def p_value_of(observed: float, deviation: float, freedom: float) -> float:
    """Two-sided, of a difference with such a standard deviation."""
    return 1.0 if deviation <= ROUNDING else min(1.0, float(2 * stdtr(min(freedom, MANY), -abs(observed) / deviation)))


def spread(
    key: str, row: RowScores, other: RowScores, of_rounds: float, freedom: float, around_zero: bool = True
) -> tuple[float, float]:
    """Standard deviation of the difference of two rows, and its degrees of freedom.

    Args:
        key: Of the score.
        row: The one.
        other: The other.
        of_rounds: Variance by the chance of training, of both.
        freedom: Its degrees of freedom.
        around_zero: Whether it is that around 0, not around the mean.
    """
    of_images = float(np.nanvar(row.averages(key) - other.averages(key)))
    of_images += _around_zero(key, row, other) if around_zero else 0.0
    units = max(other.counts.all_effective - 1, 1.0)
    found = satterthwaite(np.array(of_images), np.array(units), np.array(of_rounds), freedom)
    return float(np.sqrt(of_images + of_rounds)), float(found)


def _around_zero(key: str, row: RowScores, other: RowScores) -> float:
    """What the variance of the difference of two rows lacks, if it is really 0: that around it, not around the mean."""
    if (found := other.weights(key)) is None:
        return (row.value(key) - other.value(key)) ** 2 / other.hangs_on(key)
    kind, weight = found
    counted = (weight != 0) & (other.counts.units > 0)
    difference = np.nan_to_num(row.of_classes(kind).value - other.of_classes(kind).value)
    return float(((weight * difference)[counted] ** 2 / other.counts.effective[counted]).sum())
