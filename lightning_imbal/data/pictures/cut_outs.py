"""Squares cut out of larger pictures around points, such as the cells of a smear."""

from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import Any

import cv2
import numpy as np

from lightning_imbal.data.pictures.base import Pictures
from lightning_imbal.data.pictures.files import ImageFiles
from lightning_imbal.data.pictures.size import shrink

KEPT = 16  # whole pictures that a process keeps: rows in order then read each picture once


class CutOuts(Pictures):
    """Squares around points of larger pictures, uint8 RGB (side, side, 3).

    What lies outside of a picture has its median colour, which is that of the empty field where objects cover less than
    half of it. A mirrored border would show an object that is cut by it twice, as if two touched, and a repeated one
    would make it longer.

    Args:
        pictures: The whole ones.
        source: Which of them each row is cut out of, shape (N,).
        centre: The point of each row, x and y in pixels of the whole picture, shape (N, 2).
        side: Of the square, in pixels of the whole picture.
        short_side: A larger square is reduced to it, in pixels.
    """

    def __init__(self, pictures: Pictures, source: np.ndarray, centre: np.ndarray, side: int, short_side: int) -> None:
        self.pictures, self.source, self.centre = pictures, source, centre
        self.side, self.short_side = side, short_side
        self._whole = lru_cache(KEPT)(pictures.__getitem__)

    def __reduce__(self) -> tuple[Any, ...]:
        """For a new process, which keeps pictures of its own."""
        return type(self), (self.pictures, self.source, self.centre, self.side, self.short_side)

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, row: int) -> np.ndarray:
        """Returns a square, reduced.

        Raises:
            BadImageError: The whole picture cannot be read.
        """
        x, y = self.centre[row].tolist()
        square = cut_out(self._whole(int(self.source[row])), x, y, self.side)
        return shrink(square, self.short_side)

    @cached_property
    def bad(self) -> dict[int, str]:
        """Why a row has no picture; empty if all are good. Opens all pictures that no cache has opened."""
        return self._rows_of(range(len(self)), getattr(self.pictures, "bad", {}))

    def find_bad(self, rows: Sequence[int]) -> dict[int, str]:
        """As `ImageFiles.find_bad`, for the pictures that rows are cut out of; a cache has opened all of them."""
        if not isinstance(self.pictures, ImageFiles):
            return {}
        return self._rows_of(rows, self.pictures.find_bad(np.unique(self.source[rows]).tolist()))

    def remember(self, rows: Sequence[int]) -> None:
        """As `ImageFiles.remember`."""
        if isinstance(self.pictures, ImageFiles):
            self.pictures.remember(np.unique(self.source[rows]).tolist())

    def _rows_of(self, rows: Sequence[int], bad: dict[int, str]) -> dict[int, str]:
        return {row: bad[source] for row, source in zip(rows, self.source[rows].tolist(), strict=True) if source in bad}


def cut_out(picture: np.ndarray, x: int, y: int, side: int) -> np.ndarray:
    """The square of a picture (H, W, 3) around the pixel in column x and row y, its `side // 2`-th in both directions.

    See `CutOuts` for what is outside of the picture.
    """
    height, width = picture.shape[:2]
    left, top = x - side // 2, y - side // 2
    inside = picture[max(top, 0) : max(top + side, 0), max(left, 0) : max(left + side, 0)]
    if inside.shape[:2] == (side, side):
        return inside.copy()  # whoever writes to it leaves the picture as it is
    colour = np.median(picture[::8, ::8].reshape(-1, 3), axis=0).tolist()
    above, before = max(-top, 0), max(-left, 0)
    after, below = max(left + side - width, 0), max(top + side - height, 0)
    return cv2.copyMakeBorder(inside, above, below, before, after, cv2.BORDER_CONSTANT, value=colour)
