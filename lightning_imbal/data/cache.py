"""Pictures as uint8 RGB arrays by row number: decoded on demand, or once and kept in memory."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from lightning.pytorch.utilities import rank_zero_only
from rich.progress import track

from lightning_imbal.errors import BadImageError


def read_image(path: str | Path) -> np.ndarray:
    """Decodes a picture file to uint8 RGB (H, W, 3), upright by its EXIF orientation.

    Raises:
        BadImageError: The file cannot be read or is not a picture; the message names it.
    """
    try:
        encoded = np.fromfile(path, dtype=np.uint8)
    except OSError as error:
        raise BadImageError(f"Cannot read the image {path} ({error.strerror}): restore the file.") from error
    try:
        image = cv2.imdecode(encoded, cv2.IMREAD_COLOR_RGB) if encoded.size else None
    except cv2.error:
        image = None
    if image is None:
        raise BadImageError(f"Cannot decode the image {path}: it is damaged or no picture; replace or remove it.")
    return image


class ImageFiles(Sequence[np.ndarray]):
    """Pictures decoded from their files each time they are asked for.

    Args:
        paths: One file per row of the sample table.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        self.paths = paths

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, row: int) -> np.ndarray:
        return read_image(self.paths[row])


class MemoryCache(Sequence[np.ndarray]):
    """Pictures decoded once, on all cores, and kept in memory with their short side at most `short_side` pixels.

    Args:
        images: Where the pictures come from.
        short_side: Larger pictures are reduced to it, keeping their aspect ratio.
    """

    def __init__(self, images: Sequence[np.ndarray], short_side: int) -> None:
        def load(row: int) -> np.ndarray:
            return _shrink(images[row], short_side)

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            loaded = pool.map(load, range(len(images)))
            self.images = list(
                track(loaded, "Decoding images", len(images), transient=True, disable=rank_zero_only.rank != 0)
            )

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, row: int) -> np.ndarray:
        return self.images[row]


def _shrink(image: np.ndarray, short_side: int) -> np.ndarray:
    height, width = image.shape[:2]
    scale = short_side / min(height, width)
    if scale >= 1:
        return image
    size = (round(width * scale), round(height * scale))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)
