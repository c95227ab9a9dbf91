"""Parts given as lists of image ids."""

from pathlib import Path

import numpy as np
import pandas as pd

from lightning_imbal.data.index.label_files import read_columns
from lightning_imbal.data.splits.base import Parts, Split
from lightning_imbal.errors import UserError


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
