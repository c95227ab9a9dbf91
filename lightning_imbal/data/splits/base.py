"""What a split is: the index of a data set in, row numbers out.

A split never looks at a picture. Its seed is separate from the seed of a run, so that several runs (seeds) of one
experiment share the same test images.
"""

from abc import ABC, abstractmethod

import numpy as np
import pandas as pd

from lightning_imbal.errors import UserError

PARTS = ("train", "val", "test")
# The part that is meant by the name of a folder or by a word in a label file, in small letters.
PART_CALLED = dict.fromkeys(("train", "training"), "train")
PART_CALLED |= dict.fromkeys(("val", "valid", "validation"), "val") | dict.fromkeys(("test", "testing"), "test")
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

    def test_folds(self, index: pd.DataFrame, group: np.ndarray | None = None) -> np.ndarray | None:
        """The fold of a cross-validation, counted from 0, that tests each row, shape (N,); None if this is none."""
        return None

    def part_of_rows(self, index: pd.DataFrame, group: np.ndarray | None = None) -> np.ndarray:
        """Names the part of every row, empty for rows in none."""
        part = np.full(len(index), "", dtype=object)
        for name, rows in self(index, group).items():
            part[rows] = name
        return part


def check_fraction(val: float, whole: str) -> None:
    """Refuses, with a UserError, a fraction for validation that is outside 0..1."""
    if not 0 <= val < 1:
        raise UserError(f"val={val} is no fraction of {whole}: give one such as 0.1.")
