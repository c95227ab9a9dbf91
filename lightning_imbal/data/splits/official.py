"""The split, or the folds, that come with a data set."""

import numpy as np
import pandas as pd

from lightning_imbal.data.splits.base import PARTS, Parts, Split, check_fraction
from lightning_imbal.data.splits.stratified import take_fraction
from lightning_imbal.errors import UserError


class Official(Split):
    """The split that comes with the data set.

    Args:
        val: Fraction of the official training part for validation, if there is no official validation part.
        seed: Seed of the choice of the validation part.
    """

    def __init__(self, val: float = 0.0, seed: int = 0) -> None:
        check_fraction(val, "the official training part")
        self.val, self.seed = val, seed

    def __call__(self, index: pd.DataFrame, group: np.ndarray | None = None) -> Parts:
        part = _column(index, "official", "split")
        rows = {name: np.flatnonzero(part == name) for name in PARTS}
        if self.val and not len(rows["val"]):
            rows["train"], rows["val"] = take_fraction(
                rows["train"], index["label"].to_numpy(), group, self.val, self.seed
            )
        return rows


class OfficialFold(Split):
    """One fold of the cross-validation that comes with the data set is the test part.

    Args:
        fold: Which fold, counted from 0.
        val: Fraction of the other folds for validation.
        seed: Seed of the choice of the validation part.
    """

    def __init__(self, fold: int = 0, val: float = 0.0, seed: int = 0) -> None:
        check_fraction(val, "the training folds")
        self.fold, self.val, self.seed = fold, val, seed

    def __call__(self, index: pd.DataFrame, group: np.ndarray | None = None) -> Parts:
        folds = _column(index, "fold", "folds")
        if not 0 <= self.fold <= folds.max():
            raise UserError(f"There is no official fold {self.fold}: choose one between 0 and {folds.max()}.")
        rest, test = np.flatnonzero(folds != self.fold), np.flatnonzero(folds == self.fold)
        train, val = take_fraction(rest, index["label"].to_numpy(), group, self.val, self.seed)
        return {"train": train, "val": val, "test": test}


def _column(index: pd.DataFrame, name: str, what: str) -> np.ndarray:
    if name not in index:
        raise UserError(f"The data set has no official {what}: choose another split, such as Holdout or KFold.")
    return index[name].to_numpy()
