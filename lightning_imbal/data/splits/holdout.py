"""One stratified random split."""

import numpy as np
import pandas as pd

from lightning_imbal.data.splits.base import Parts, Split
from lightning_imbal.data.splits.stratified import take_fraction
from lightning_imbal.errors import UserError


class Holdout(Split):
    """One stratified random split, such as the 7:3 of Marrakchi et al. 2021, section 4.1.

    Args:
        test: Fraction of the images for testing.
        val: Fraction of the images for validation, taken from what is not for testing.
        seed: Seed of the split.

    Example:
        >>> index = pd.DataFrame({"label": [0] * 80 + [1] * 20})
        >>> lesion = np.arange(100) // 2  # two images of each
        >>> parts = Holdout(test=0.3, val=0.1)(index, lesion)
        >>> {part: len(rows) for part, rows in parts.items()}
        {'train': 60, 'val': 10, 'test': 30}
        >>> set(lesion[parts["train"]]) & set(lesion[parts["test"]])
        set()
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
        rest, test = take_fraction(np.arange(len(label)), label, group, self.test, self.seed)
        train, val = take_fraction(rest, label, group, self.val / (1 - self.test), self.seed)
        return {"train": train, "val": val, "test": test}
