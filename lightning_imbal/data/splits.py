"""Seeded splits and long-tailed subsampling: label arrays in, index arrays out.

A split never looks at a picture. Its seed is separate from the seed of a run, so that several runs (seeds) of one
experiment share the same test images.
"""

from abc import ABC, abstractmethod
from fractions import Fraction

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, train_test_split

from lightning_imbal.errors import UserError

Parts = dict[str, np.ndarray]


class Split(ABC):
    """Divides the rows of a sample table into `train`, `val` and `test`."""

    @abstractmethod
    def __call__(self, label: np.ndarray, group: np.ndarray | None = None) -> Parts:
        """Splits the rows.

        Args:
            label: Class of every row, shape (N,).
            group: What must stay on one side (lesion, patient) for every row, shape (N,), or None.

        Returns:
            Sorted row numbers under the keys `train`, `val` and `test`; `val` may be empty.
        """


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

    def __call__(self, label: np.ndarray, group: np.ndarray | None = None) -> Parts:
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
        if not 0 <= val < 1:
            raise UserError(f"KFold cannot validate on val={val} of the training folds: give a fraction such as 0.1.")
        self.folds, self.fold, self.val, self.seed = folds, fold, val, seed

    def __call__(self, label: np.ndarray, group: np.ndarray | None = None) -> Parts:
        rest, test = _folds(np.arange(len(label)), label, group, self.folds, [self.fold], self.seed)
        train, val = _take(rest, label, group, self.val, self.seed)
        return {"train": train, "val": val, "test": test}


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
    splitter = StratifiedKFold if group is None else StratifiedGroupKFold
    try:
        cut = splitter(n_splits=folds, shuffle=True, random_state=seed)
        parts = [part for _, part in cut.split(rows, label[rows], None if group is None else group[rows])]
    except ValueError as error:
        raise UserError(f"The images cannot be cut into {folds} folds: {error}") from error
    inside = np.zeros(len(rows), dtype=bool)
    inside[np.concatenate([parts[i] for i in taken])] = True
    return rows[~inside], rows[inside]


def long_tailed(label: np.ndarray, ratio: float, seed: int = 0) -> np.ndarray:
    """Subsamples rows so that class sizes fall exponentially with the class number (Cui et al. 2019, section 5.1).

    Class i of C keeps round(n * ratio^(-i / (C - 1))) rows, with n the size of the smallest class that would have to
    give the most, so that the profile is exact: n = min over classes of n_i * ratio^(i / (C - 1)).

    Args:
        label: Class of every row, shape (N,); every class from 0 to the largest occurs.
        ratio: Size of the largest class over that of the smallest, at least 1.
        seed: Seed of the choice of rows.

    Returns:
        Sorted row numbers to keep.

    Raises:
        UserError: The ratio is below 1.
    """
    if ratio < 1:
        raise UserError(f"A long tail needs a ratio of at least 1 between the largest and smallest class, not {ratio}.")
    counts = np.bincount(label)
    profile = ratio ** -(np.arange(len(counts)) / max(len(counts) - 1, 1))
    keep = np.maximum(np.rint((counts / profile).min() * profile).astype(int), 1)
    shuffled = np.random.default_rng(seed).permutation(len(label))
    by_class = shuffled[np.argsort(label[shuffled], kind="stable")]
    rank_in_class = np.arange(len(label)) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.sort(by_class[rank_in_class < keep[label[by_class]]])
