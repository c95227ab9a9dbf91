"""Splits: the index of a data set in, row numbers out.

A split never looks at a picture. Its seed is separate from the seed of a run, so that several runs (seeds) of one
experiment share the same test images.
"""

from abc import ABC, abstractmethod
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, train_test_split

from lightning_imbal.data.index import read_columns
from lightning_imbal.errors import UserError

PARTS = ("train", "val", "test")
Parts = dict[str, np.ndarray]


class Split(ABC):
    """Divides the rows of an index into `train`, `val` and `test`."""

    @abstractmethod
    def __call__(self, index: pd.DataFrame, group: np.ndarray | None = None) -> Parts:
        """Splits the rows.

        Args:
            index: One row per image: `image`, `label` and, where the data set has an official split, `official`
                (train, val, test or empty) or `fold` (0-based).
            group: What must stay on one side (lesion, patient) for every row, shape (N,), or None.

        Returns:
            Sorted row numbers under the keys `train`, `val` and `test`; `val` may be empty.
        """

    def part_of_rows(self, index: pd.DataFrame, group: np.ndarray | None = None) -> np.ndarray:
        """Names the part of every row, empty for rows in none."""
        part = np.full(len(index), "", dtype=object)
        for name, rows in self(index, group).items():
            part[rows] = name
        return part


def torn_groups(part: pd.Series, group: np.ndarray) -> pd.Series:
    """The groups of which images are in more than one part."""
    used = (part != "").to_numpy()
    parts = part[used].groupby(group[used]).nunique()
    return parts.index[parts > 1].to_series()


def group_ids(index: pd.DataFrame, group_by: str | None, known: str | None, owner: str) -> np.ndarray | None:
    """The group of every row for a split that keeps groups together; a row without one is a group of its own.

    Raises:
        UserError: The data set knows no groups of that name.
    """
    if group_by not in (None, known):
        why = f"only by {known}" if known else "not grouped"
        raise UserError(f"{owner} cannot be split by {group_by!r}: its images are {why}.")
    return None if group_by is None else index["group"].fillna("image " + index["image"].astype(str)).to_numpy()


class Holdout(Split):
    """One stratified random split, such as the 7:3 of Marrakchi et al. 2021, section 4.1.

    Args:
        test: Fraction of the images for testing.
        val: Fraction of the images for validation, taken from what is not for testing.
        seed: Seed of the split.
    """

    def __init__(self, test: float = 0.3, val: float = 0.0, seed: int = 0) -> None:
        if not (0 < test < 1 and 0 <= val < 1 and test + val < 1):
            raise UserError(
                f"A Holdout split with test={test} and val={val} leaves nothing to train on or to test: "
                "give fractions of the whole, such as test=0.2 and val=0.1."
            )
        self.test, self.val, self.seed = test, val, seed

    def __call__(self, index: pd.DataFrame, group: np.ndarray | None = None) -> Parts:
        label = index["label"].to_numpy()
        rest, test = _take(np.arange(len(label)), label, group, self.test, self.seed)
        train, val = _take(rest, label, group, self.val / (1 - self.test), self.seed)
        return {"train": train, "val": val, "test": test}


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
        _check_fraction(val, "the training folds")
        self.folds, self.fold, self.val, self.seed = folds, fold, val, seed

    def __call__(self, index: pd.DataFrame, group: np.ndarray | None = None) -> Parts:
        label = index["label"].to_numpy()
        rest, test = _folds(np.arange(len(label)), label, group, self.folds, [self.fold], self.seed)
        train, val = _take(rest, label, group, self.val, self.seed)
        return {"train": train, "val": val, "test": test}


class Official(Split):
    """The split that comes with the data set.

    Args:
        val: Fraction of the official training part for validation, if there is no official validation part.
        seed: Seed of the choice of the validation part.
    """

    def __init__(self, val: float = 0.0, seed: int = 0) -> None:
        _check_fraction(val, "the official training part")
        self.val, self.seed = val, seed

    def __call__(self, index: pd.DataFrame, group: np.ndarray | None = None) -> Parts:
        part = _column(index, "official", "split")
        rows = {name: np.flatnonzero(part == name) for name in PARTS}
        if self.val and not len(rows["val"]):
            rows["train"], rows["val"] = _take(rows["train"], index["label"].to_numpy(), group, self.val, self.seed)
        return rows


class OfficialFold(Split):
    """One fold of the cross-validation that comes with the data set is the test part.

    Args:
        fold: Which fold, counted from 0.
        val: Fraction of the other folds for validation.
        seed: Seed of the choice of the validation part.
    """

    def __init__(self, fold: int = 0, val: float = 0.0, seed: int = 0) -> None:
        _check_fraction(val, "the training folds")
        self.fold, self.val, self.seed = fold, val, seed

    def __call__(self, index: pd.DataFrame, group: np.ndarray | None = None) -> Parts:
        folds = _column(index, "fold", "folds")
        if not 0 <= self.fold <= folds.max():
            raise UserError(f"There is no official fold {self.fold}: choose one between 0 and {folds.max()}.")
        rest, test = np.flatnonzero(folds != self.fold), np.flatnonzero(folds == self.fold)
        train, val = _take(rest, index["label"].to_numpy(), group, self.val, self.seed)
        return {"train": train, "val": val, "test": test}


class IdLists(Split):
    """Parts given as lists of image ids: CSV files with a column `image`. Images in no list are left out.

    Args:
        train: List of the training images.
        test: List of the test images.
        val: List of the validation images, or None.
    """

    def __init__(self, train: str, test: str, val: str | None = None) -> None:
        self.train, self.test, self.val = train, test, val

    def __call__(self, index: pd.DataFrame, group: np.ndarray | None = None) -> Parts:
        row_of_image = pd.Series(np.arange(len(index)), index=index["image"].astype(str))
        files = {"train": self.train, "val": self.val, "test": self.test}
        parts = {name: _listed(file, row_of_image) if file else np.arange(0) for name, file in files.items()}
        rows, times = np.unique(np.concatenate(list(parts.values())), return_counts=True)
        if (times > 1).any():
            raise UserError(
                f"The lists {', '.join(filter(None, files.values()))} name {index['image'][rows[times > 1][0]]} more "
                f"than once ({(times > 1).sum()} such images): an image may be in one part only."
            )
        return parts


def _listed(file: str, row_of_image: pd.Series) -> np.ndarray:
    image = read_columns(Path(file).expanduser(), ["image"], dtype=str)["image"]
    unknown = ~image.isin(row_of_image.index)
    if unknown.any():
        raise UserError(
            f"{file} names {unknown.sum()} images that the data set does not have, the first is "
            f"{image[unknown].iloc[0]}: give ids as the data set has them, such as {row_of_image.index[0]}."
        )
    return np.sort(row_of_image[image].to_numpy())


def _column(index: pd.DataFrame, name: str, what: str) -> np.ndarray:
    if name not in index:
        raise UserError(f"The data set has no official {what}: choose another split, such as Holdout or KFold.")
    return index[name].to_numpy()


def _check_fraction(val: float, whole: str) -> None:
    if not 0 <= val < 1:
        raise UserError(f"val={val} is no fraction of {whole}: give one such as 0.1.")


def _take(
    rows: np.ndarray, label: np.ndarray, group: np.ndarray | None, fraction: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Takes a stratified fraction out of `rows`: returns the rest and what was taken."""
    if fraction == 0:
        return rows, rows[:0]
    if group is not None:
        share = Fraction(fraction).limit_denominator(100)
        return _folds(rows, label, group, share.denominator, range(share.numerator), seed)
    try:
        rest, taken = train_test_split(rows, test_size=fraction, random_state=seed, stratify=label[rows])
    except ValueError as error:
        raise UserError(
            f"The images cannot be split with the classes in proportion ({error}): "
            "give every class at least two images, or a larger fraction."
        ) from error
    return np.sort(rest), np.sort(taken)


def _folds(
    rows: np.ndarray, label: np.ndarray, group: np.ndarray | None, folds: int, taken: range | list[int], seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Cuts `rows` into stratified folds: returns the rows outside and inside the folds `taken`."""
    codes = None if group is None else np.unique(group[rows], return_inverse=True)[1].astype(np.int64).tobytes()
    fold = _fold_of_rows(label[rows].astype(np.int64).tobytes(), codes, folds, seed)
    inside = np.isin(fold, taken)
    return rows[~inside], rows[inside]


@lru_cache(maxsize=16)  # both stages of a run ask for the same split, which takes seconds for thousands of groups
def _fold_of_rows(label: bytes, group: bytes | None, folds: int, seed: int) -> np.ndarray:
    """The fold of every row, from int64 labels and groups."""
    y = np.frombuffer(label, np.int64)
    splitter = StratifiedKFold if group is None else StratifiedGroupKFold
    try:
        cut = splitter(n_splits=folds, shuffle=True, random_state=seed)
        parts = list(cut.split(y, y, None if group is None else np.frombuffer(group, np.int64)))
    except ValueError as error:
        raise UserError(f"The images cannot be cut into {folds} folds: {error}") from error
    fold = np.empty(len(y), dtype=int)
    for number, (_, inside) in enumerate(parts):
        fold[inside] = number
    return fold
