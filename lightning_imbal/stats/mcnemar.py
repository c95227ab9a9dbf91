"""McNemar's test, of single images and of groups of them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import binomtest, chi2

from lightning_imbal.runs.predictions import Predictions, labels_of, mean_probability


def mcnemar_p_value(row: Sequence[Predictions], baseline: Sequence[Predictions]) -> float:
    """Whether a row and the baseline classify the same images correctly.

    An image that several runs (seeds) have predicted counts once, with the mean of their probabilities. The test is the
    exact one (McNemar 1947); where units (lesions, patients) have several images, which go together, that of Durkalski
    et al. (2003, Stat. Med. 22(15)): the share of images of each unit on which only one of the two is right.

    Returns:
        The p-value; NaN if the two do not have the same test images, or if several runs have decided on the same images
        by rules of their own, of which there is no mean.
    """
    first, second = _correct(row), _correct(baseline)
    if not first.index.equals(second.index) or first.empty:
        return np.nan
    ahead = (first["correct"] - second["correct"]).groupby(first["unit"]).mean()
    if len(ahead) < len(first):
        spread = float((ahead**2).sum())
        return float(chi2.sf(float(ahead.sum()) ** 2 / spread, df=1)) if spread else 1.0
    only_row, only_baseline = int((ahead > 0).sum()), int((ahead < 0).sum())
    discordant = only_row + only_baseline
    if not discordant:
        return 1.0
    # Twice one tail is the two-sided value; beside the middle it may come to a little more than 1.
    return min(1.0, 2 * float(binomtest(min(only_row, only_baseline), discordant, alternative="less").pvalue))


def _correct(runs: Sequence[Predictions]) -> pd.DataFrame:
    """`unit` of each image, and whether the ensemble of the runs classifies it correctly (`correct`, 1 or 0)."""
    if not runs:
        return pd.DataFrame({"correct": [], "unit": []})
    label = labels_of(runs)
    if len(label) == sum(len(run.label) for run in runs):
        answers = np.concatenate([run.answers for run in runs])
    elif any(run.decided is not None for run in runs):
        return pd.DataFrame({"correct": [], "unit": []})
    else:
        answers = mean_probability(runs).argmax(axis=1)
    correct = (answers == label).astype(np.int64)
    image, unit = (np.concatenate([getattr(run, name) for run in runs]) for name in ("image", "unit"))
    units = pd.Series(unit, index=image)
    return pd.DataFrame({"correct": correct, "unit": units[~units.index.duplicated()]}).sort_index()
