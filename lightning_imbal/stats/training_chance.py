"""How much the rows of a table vary from training to training, where each was trained a few times only."""

import numpy as np
from scipy.optimize import brentq
from scipy.special import digamma, polygamma

MOST = 1e6  # degrees of freedom of what is known for certain


def moderated(variance: np.ndarray, freedom: int) -> tuple[np.ndarray, float]:
    """Draws the variances of several rows together, the more the less they differ for other reasons than chance.

    Of three trainings alone a variance is hardly known: one that is far too small by chance would make a difference of
    nothing. Rows are taken to have variances of an inverse chi-square distribution, whose scale and degrees of freedom
    are estimated from all of them (Smyth 2004, Stat. Appl. Genet. Mol. Biol. 3(1), article 3, sections 4 and 6.2).

    Args:
        variance: Over the rounds of each row, (K,).
        freedom: Degrees of freedom of each: the number of rounds less one.

    Returns:
        The variances, (K,), and their degrees of freedom.
    """
    known = variance[variance > 0]
    if not len(known):
        return variance, MOST
    expected = np.log(known) - digamma(freedom / 2) + np.log(freedom / 2)
    further = (expected.var(ddof=1) if len(known) > 1 else 0.0) - float(polygamma(1, freedom / 2))
    if further <= float(polygamma(1, MOST / 2)):
        return np.full_like(variance, known.sum() / len(variance)), float(freedom * len(variance))
    prior = 2 * brentq(lambda half: float(polygamma(1, half)) - further, 1e-3, MOST / 2)
    scale = np.exp(expected.mean() + digamma(prior / 2) - np.log(prior / 2))
    return (prior * scale + freedom * variance) / (prior + freedom), float(prior + freedom)
