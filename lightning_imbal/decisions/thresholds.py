"""What a share of few images, of fewer lesions or patients, allows to promise."""

from math import ceil, log

import numpy as np
from scipy.special import betaincinv, ndtri, stdtrit

FEW_UNITS = 10  # below, what units vary by cannot be seen from them


def lower_bound(share: float, size: float, alpha: float) -> float:
    """The largest value that a proportion exceeds with confidence 1 - alpha (Clopper and Pearson 1934), one-sided.

    Args:
        share: Observed.
        size: Of how many independent images; it need not be whole (Korn and Graubard 1998).
        alpha: How often the proportion may be smaller.

    Example:
        >>> round(lower_bound(1.0, 29, 0.05), 3), round(lower_bound(0.9, 50, 0.05), 3)
        (0.902, 0.801)
    """
    hits = share * size
    return float(betaincinv(hits, size - hits + 1, alpha)) if hits > 0 else 0.0


def effective_size(hit: np.ndarray, weight: np.ndarray, unit: np.ndarray, alpha: float) -> float:
    """How many independent images would tell as much about a share as images of units do.

    Korn and Graubard 1998, Surv. Methodol. 24: p (1 - p) by the variance of p, which is that of a ratio estimator over
    the units, by the square of t / z, but not more than there are images. Their degrees of freedom of t, those of all
    units, promise too often where few images are missed, as simulations show: here they are the units that hold a miss
    (or a hit, if those are fewer). The images of a unit are taken to be alike, so that units of one size count as one
    image each, where that gives more, where all images are hit or none is, and of fewer than 10 units.

    Args:
        hit: Whether each image counts, (N,) bool.
        weight: Of each image, (N,).
        unit: Number of the unit of each image, (N,), from 0 without gaps.
        alpha: Of the bound for which it is.
    """
    total, of_unit = weight.sum(), np.bincount(unit, weight)
    hits, units = np.bincount(unit, weight * hit), len(of_unit)
    of_units = float(total**2 / (of_unit**2).sum())
    freedom = min((hits > 0).sum(), (np.bincount(unit, ~hit) > 0).sum())
    if units == len(unit) or units < FEW_UNITS or freedom == 0:
        return of_units
    share = hits.sum() / total
    of_image = share * (1 - share)
    variance = ((hits - share * of_unit) ** 2).sum() / total**2 * units / (units - 1)
    variance = max(variance, of_image * (weight**2).sum() / total**2)
    return float(max(of_image / variance * (ndtri(alpha) / stdtrit(freedom, alpha)) ** 2, of_units))


def units_needed(target: float, alpha: float) -> int:
    """How many units must all be hit, for the share to be at least a target with confidence 1 - alpha.

    Example:
        >>> units_needed(0.9, 0.05)
        29
    """
    return ceil(log(alpha) / log(target))
