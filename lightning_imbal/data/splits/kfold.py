"""Stratified cross-validation."""

import numpy as np
import pandas as pd

from lightning_imbal.data.splits.base import Parts, Split, check_fraction
from lightning_imbal.data.splits.stratified import cut_folds, take_fraction
from lightning_imbal.errors import UserError


class KFold(Split):
    """Fold `fold` of a stratified k-fold cross-validation; a validation part comes from the training folds only.

    Args:
        folds: Number of folds.
        fold: Which of them is the test part, counted from 0.
        val: Fraction of the training folds for validation.
        seed: Seed of the split.
    """

    def __init__(self, folds: int = 5, fold: int = 0, val: float = 0.0, seed: int = 0) -> None:
        if not 0 <= fold < folds:
            raise UserError(f"KFold has no fold {fold}: with folds={folds}, choose fold between 0 and {folds - 1}.")
        check_fraction(val, "the training folds")
        self.folds, self.fold, self.val, self.seed = folds, fold, val, seed

    def __call__(self, index: pd.DataFrame, group: np.ndarray | None = None) -> Parts:
        fold = self.test_folds(index, group)
        rest, test = np.flatnonzero(fold != self.fold), np.flatnonzero(fold == self.fold)
        train, val = take_fraction(rest, index["label"].to_numpy(), group, self.val, self.seed)
        return {"train": train, "val": val, "test": test}

    def test_folds(self, index: pd.DataFrame, group: np.ndarray | None = None) -> np.ndarray:
        return cut_folds(index["label"].to_numpy(), group, self.folds, self.seed)
