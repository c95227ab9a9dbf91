"""The calibration error of a row of a table, and how large it would be if its networks were calibrated."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from lightning_imbal.runs.predictions import Predictions
from lightning_imbal.stats.resamples import NUM_BINS, bin_of
from lightning_imbal.stats.rounds import Round

DRAWN = 500
POINT = 0.95


def calibrated_point(rounds: Sequence[Round], seed: int = 0) -> float:
    """What the expected calibration error of calibrated networks does not exceed in 95 % of test sets of this size.

    The error is never below 0, so that it has no interval which could hold 0. Instead the answers are drawn again as
    they would be if the confidences were true (consistency resampling; Broecker and Smith 2007, Weather and Forecasting
    22(3)), alike for the images of a unit and for all rounds. As the error itself, it is a mean over rounds and folds.
    """
    folds = [fold for each in rounds for fold in each.folds]
    codes, known = pd.factorize(np.concatenate([fold.unit for fold in folds]))
    chance = np.random.default_rng(seed).random((len(known), DRAWN), dtype=np.float32)
    unit = iter(np.split(codes, np.cumsum([len(fold.unit) for fold in folds])[:-1]))
    errors = [np.mean([_drawn(fold, chance[next(unit)]) for fold in each.folds], axis=0) for each in rounds]
    return float(np.quantile(np.mean(errors, axis=0), POINT))


def _drawn(run: Predictions, chance: np.ndarray) -> np.ndarray:
    """The calibration error of a run whose answers are right where chance (N, DRAWN) is below the confidence."""
    confidence = run.probability.clip(0, 1).max(axis=1).astype(np.float32)
    place = bin_of(confidence), np.arange(len(confidence))
    bins = csr_array((np.ones(len(confidence), dtype=np.float32), place), shape=(NUM_BINS, len(confidence)))
    right = (chance < confidence[:, None]).astype(np.float32)
    return np.abs((bins @ confidence)[:, None] - bins @ right).sum(axis=0) / len(confidence)
