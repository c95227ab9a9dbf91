"""What all pictures of a data set have in common, however they are kept."""

from typing import Protocol

import numpy as np


class Pictures(Protocol):
    """Pictures by their row in the sample table, RGB (H, W, 3), uint8 or, where so many bits are asked for, uint16."""

    def __len__(self) -> int: ...

    def __getitem__(self, row: int, /) -> np.ndarray: ...


class SomePictures(Pictures):
    """Some of many pictures, by new numbers.

    Args:
        pictures: All of them.
        rows: Which, shape (K,).
    """

    def __init__(self, pictures: Pictures, rows: np.ndarray) -> None:
        self.pictures, self.rows = pictures, rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, row: int) -> np.ndarray:
        return self.pictures[int(self.rows[row])]
