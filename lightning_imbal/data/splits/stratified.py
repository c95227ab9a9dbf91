"""Cuts rows into parts or folds with the classes in proportion and groups in one piece."""

import warnings
from fractions import Fraction
from functools import lru_cache
from itertools import product

import numpy as np
from sklearn.model_selection import StratifiedKFold, train_test_split

from lightning_imbal.data.splits.grouped_folds import group_counts, grouped_folds
from lightning_imbal.errors import UserError


def take_fraction(
    rows: np.ndarray, label: np.ndarray, group: np.ndarray | None, fraction: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Takes a stratified fraction out of `rows`: returns the rest and what was taken.

    Of groups, so that neither side lacks a class, and above all the rest, where moving a group can mend it.
    """
    if fraction == 0:
        return rows, rows[:0]
    if group is not None:
        share = Fraction(fraction).limit_denominator(100)
        fold = _fold_of_rows(*_as_bytes(label[rows], group[rows]), share.denominator, share.numerator, seed)
        return rows[fold >= share.numerator], rows[fold < share.numerator]
    try:
        rest, taken = train_test_split(rows, test_size=fraction, random_state=seed, stratify=label[rows])
    except ValueError as error:
        raise UserError(
            f"The images cannot be split with the classes in proportion ({error}): "
            "give every class at least two images, or a larger fraction."
        ) from error
    return np.sort(rest), np.sort(taken)


def cut_folds(label: np.ndarray, group: np.ndarray | None, folds: int, seed: int) -> np.ndarray:
    """The fold of every row, shape (N,), with every class in every fold, where moving a group can mend it.

    Args:
        label: Class of every row, shape (N,).
        group: What stays in one fold, shape (N,), or None.
        folds: Number of folds.
        seed: Seed of the cut.

    Raises:
        UserError: There are fewer images in every class, or fewer groups, than folds.
    """
    return _fold_of_rows(*_as_bytes(label, group), folds, None, seed)


def _as_bytes(label: np.ndarray, group: np.ndarray | None) -> tuple[bytes, bytes | None]:
    codes = None if group is None else np.unique(group, return_inverse=True)[1].astype(np.int64).tobytes()
    return label.astype(np.int64).tobytes(), codes


@lru_cache(maxsize=16)  # both stages of a run ask for the same split, which takes seconds for thousands of groups
def _fold_of_rows(label: bytes, group: bytes | None, folds: int, taken: int | None, seed: int) -> np.ndarray:
    """The fold of every row: that of scikit-learn, unless it lacks a class that another cut would have.

    Args:
        label: Of every row, as int64.
        group: Of every row, as int64; None for images.
        folds: Number of folds.
        taken: How many folds, the first ones, are tested together; None tests each by itself.
        seed: Of the cut.
    """
    y = np.unique(np.frombuffer(label, np.int64), return_inverse=True)[1]
    groups = None if group is None else np.frombuffer(group, np.int64)
    try:
        fold = _folds_of_images(y, folds, seed) if groups is None else grouped_folds(y, groups, folds, seed)
    except ValueError as error:
        raise UserError(f"The images cannot be cut into {folds} folds: {error}") from error
    return fold if groups is None else _completed(y, groups, fold, folds, taken)


def _folds_of_images(y: np.ndarray, folds: int, seed: int) -> np.ndarray:
    fold = np.empty(len(y), dtype=int)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class")  # which data/checks.py names
        parts = StratifiedKFold(n_splits=folds, shuffle=True, random_state=seed).split(y, y)
        for number, (_, inside) in enumerate(parts):
            fold[inside] = number
    return fold


def _completed(y: np.ndarray, group: np.ndarray, fold: np.ndarray, folds: int, taken: int | None) -> np.ndarray:
    """Moves whole groups to other folds, the smallest first, as long as less is lacking after a move."""
    of_group = group_counts(y, group)
    in_class = np.bincount(of_group.indices)  # groups that have a class
    alone = int((in_class == 1).sum())
    least = (0, alone) if taken else (alone, int((folds - in_class).clip(min=0).sum()))
    small_first = np.argsort(np.bincount(group), kind="stable")
    images, fold_of_group = np.zeros((folds, len(in_class))), np.empty(of_group.shape[0], dtype=int)
    np.add.at(images, (fold, y), 1)
    fold_of_group[group] = fold
    lacking, missed = _lacking(images, taken)
    while lacking > least:
        having = small_first[np.isin(small_first, group[np.isin(y, missed)])]
        for moved, to in product(having, range(folds)):
            after, of_moved = images.copy(), of_group[[moved]].toarray()[0]
            after[fold_of_group[moved]] -= of_moved
            after[to] += of_moved
            if (now := _lacking(after, taken))[0] < lacking:
                images, (lacking, missed), fold_of_group[moved] = after, now, to
                break
        else:
            break
    return fold_of_group[group]


def _lacking(images: np.ndarray, taken: int | None) -> tuple[tuple[int, int], np.ndarray]:
    """How often a class is only in what is tested, and how often it is not in it; and the classes, shape (K,).

    Args:
        images: Of each fold and class, (F, C).
        taken: How many folds, the first ones, are tested together; None tests each by itself.
    """
    tested = images[:taken].sum(axis=0, keepdims=True) if taken else images
    only, none = tested == images.sum(axis=0), tested == 0
    return (int(only.sum()), int(none.sum())), np.flatnonzero((only | none).any(axis=0))
