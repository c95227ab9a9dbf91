"""What a share of few images, of fewer lesions or patients, allows to promise."""

from math import ceil, log

import numpy as np
from scipy.special import betaincinv

FEW_UNITS = 10  # below, how alike their images are cannot be seen


def lower_bound(share: np.ndarray | float, size: np.ndarray | float, alpha: float) -> np.ndarray:
    """The value that a proportion exceeds with confidence 1 - alpha, one-sided (Clopper and Pearson 1934).

    Args:
        share: Observed, of any shape.
        size: Of how many independent images; it need not be whole (Korn and Graubard 1998).
        alpha: How often the proportion may be smaller.

    Example:
        >>> lower_bound(np.array([1.0, 0.9]), np.array([29, 50]), 0.05).round(3).tolist()
        [0.902, 0.801]
    """
    hits = np.asarray(share) * size
    bound = betaincinv(np.where(hits > 0, hits, 1), size - hits + 1, alpha)
    return np.where(hits > 0, bound, 0)[()]


def effective_size(weight: np.ndarray, unit: np.ndarray, alike: float) -> float:
    """How many independent images would tell as much about a share as images of units do (Kish 1965).

    Args:
        weight: Of each image, (N,).
        unit: Number of the unit of each image, (N,), from 0 without gaps.
        alike: Correlation of the images of a unit: of 1, units of one size count as one image each; of 0, images do.
    """
    of_image, of_unit = (weight**2).sum(), (np.bincount(unit, weight) ** 2).sum()
    return float(weight.sum() ** 2 / ((1 - alike) * of_image + alike * of_unit))


def unit_correlation(value: np.ndarray, unit: np.ndarray) -> float:
    """How alike the images of a unit are: the correlation of the ranks of two of them, from 0 to 1.

    Ranks of all images show it much better than the few images that a threshold misses: where the variance of the
    misses themselves is used (Korn and Graubard 1998), simulated promises are broken two or three times too often if
    some units are large. Of fewer than 10 units of several images it cannot be seen and is taken to be 1.

    Args:
        value: By which images are ranked, (N,).
        unit: Number of the unit of each, (N,), from 0 without gaps.
    """
    images = np.bincount(unit)
    if (images > 1).sum() < FEW_UNITS:
        return 1.0
    _, place, ties = np.unique(value, return_inverse=True, return_counts=True)
    rank = (ties.cumsum() - ties / 2)[place]
    rank -= rank.mean()
    pairs = (np.bincount(unit, rank) ** 2 - np.bincount(unit, rank**2)).sum() / (images * (images - 1)).sum()
    variance = (rank**2).mean()
    return float(np.clip(pairs / variance, 0, 1)) if variance > 0 else 1.0


def units_needed(target: float, alpha: float) -> int:
    """How many units must all be hit, for the share to be at least a target with confidence 1 - alpha.

    Example:
        >>> units_needed(0.9, 0.05)
        29
    """
    return ceil(log(alpha) / log(target))
