"""Handwritten digits made long-tailed: a data set that needs no download, for demonstrations and tests."""

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.utils import Bunch

from lightning_imbal.data.base import ImbalDataModule
from lightning_imbal.data.pictures.base import Pictures
from lightning_imbal.data.splits.long_tail import thin_out


@cache
def _digits() -> Bunch:
    # scikit-learn reads them as text, in a tenth of a second each time.
    return load_digits()


class DigitsLT(ImbalDataModule):
    """The 1,797 digits of 8 x 8 pixels that scikit-learn ships, with a long-tailed training part.

    The split is made first, then the training part is thinned out exponentially from digit 0 to digit 9; validation and
    test parts stay balanced, as is usual for long-tailed benchmarks.

    Args:
        ratio: Training images of digit 0 over those of digit 9.
        root: Not used: the images come with scikit-learn.
        **kwargs: Arguments of `ImbalDataModule`.
    """

    class_names = tuple("0123456789")

    def __init__(self, ratio: float = 20.0, root: str = "", **kwargs: Any) -> None:
        super().__init__(root=root, **kwargs)
        self.ratio = ratio

    def read_index(self) -> pd.DataFrame:
        label = _digits().target
        return pd.DataFrame({"image": [f"digit_{row:04d}" for row in range(len(label))], "label": label})

    def read_images(self) -> Pictures:
        pixels = _digits().images * (255 / 16)
        return np.repeat(pixels.round().astype(np.uint8)[..., None], 3, axis=-1)

    def subsample(self, label: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return thin_out(label, rows, len(self.class_names), self.ratio)
