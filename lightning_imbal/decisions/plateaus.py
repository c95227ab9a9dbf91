"""Where a score that changes in steps is largest."""

import numpy as np

EQUAL = 1e-12  # scores that differ by less are equal: sums of weights are rounded


def best_plateau(score: np.ndarray, low: np.ndarray, high: np.ndarray) -> float:
    """Middle of the neighbouring steps where a score is largest; of several such places, that nearest to 0.

    Of a place without an end on one side, a point 1 from its other end is taken, or 0 if that is further inside.

    Args:
        score: Of each step, (K,).
        low: Where each begins, (K,), rising; the first may be -inf.
        high: Where each ends, (K,); the last may be inf.
    """
    best = np.r_[False, score >= score.max() - EQUAL, False]
    begins, ends = np.flatnonzero(best[1:] & ~best[:-1]), np.flatnonzero(best[:-1] & ~best[1:]) - 1
    left, right = low[begins], high[ends]
    with np.errstate(invalid="ignore"):
        middle = (left + right) / 2
    middle = np.where(np.isneginf(left), np.minimum(right - 1, 0), middle)
    middle = np.where(np.isposinf(right), np.where(np.isneginf(left), 0, np.maximum(left + 1, 0)), middle)
    return float(middle[np.abs(middle).argmin()])
