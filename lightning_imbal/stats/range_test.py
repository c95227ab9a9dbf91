"""Which of many rows differ, all pairs at once: the range test by the bootstrap."""

import numpy as np
from scipy.special import ndtri

from lightning_imbal.stats.spread import ROUNDING


def beyond(apart: np.ndarray, alone: float) -> float:
    """The p-value of two of several rows, from how far any two are apart by chance and that of the two alone."""
    further = len(apart) - np.searchsorted(apart, -ndtri(alone / 2))
    return max(alone, float((1 + further) / (1 + len(apart))))


def furthest(centred: np.ndarray) -> np.ndarray:
    """How far any two rows are apart in each resample, in deviations of their difference; (K, R) to (R,)."""
    found = np.zeros(centred.shape[1])
    for place in range(len(centred) - 1):
        difference = centred[place + 1 :] - centred[place]
        deviation = difference.std(axis=1)
        varied = deviation > ROUNDING
        if varied.any():
            np.maximum(found, np.abs(difference[varied] / deviation[varied, None]).max(axis=0), out=found)
    return found
