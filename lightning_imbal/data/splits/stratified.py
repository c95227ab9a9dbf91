"""Cuts rows into parts or folds with the classes in proportion and groups in one piece."""

from fractions import Fraction
from functools import lru_cache

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, train_test_split

from lightning_imbal.errors import UserError


def take_fraction(
    rows: np.ndarray, label: np.ndarray, group: np.ndarray | None, fraction: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Takes a stratified fraction out of `rows`: returns the rest and what was taken."""
    if fraction == 0:
        return rows, rows[:0]
    if group is not None:
        share = Fraction(fraction).limit_denominator(100)
        return cut_folds(rows, label, group, share.denominator, range(share.numerator), seed)
    try:
        rest, taken = train_test_split(rows, test_size=fraction, random_state=seed, stratify=label[rows])
    except ValueError as error:
        raise UserError(
            f"The images cannot be split with the classes in proportion ({error}): "
            "give every class at least two images, or a larger fraction."
        ) from error
    return np.sort(rest), np.sort(taken)


def cut_folds(
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
