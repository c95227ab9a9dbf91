"""Pictures that were handed over: files, arrays, or those of Pillow."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from lightning_imbal.data.pictures.base import Pictures
from lightning_imbal.data.pictures.read import read_image, reduced
from lightning_imbal.errors import UserError

Picture = str | Path | np.ndarray | Image.Image


def open_picture(picture: Picture, short_side: int) -> np.ndarray:
    """A picture as uint8 RGB (H, W, 3), upright and reduced, as one of a data set is read.

    Args:
        picture: A file, which is decoded as everywhere here; an array, uint8, RGB (H, W, 3) or grey (H, W); or one of
            Pillow. A file that Pillow has decoded may differ from the file in the last bits.
        short_side: A larger picture is reduced to it, in pixels.

    Raises:
        UserError: It is none of these.
        BadImageError: The file cannot be read.
    """
    if isinstance(picture, str | Path):
        return read_image(Path(picture).expanduser(), short_side)
    if isinstance(picture, Image.Image):
        picture = np.asarray(ImageOps.exif_transpose(picture).convert("RGB"))
    if not isinstance(picture, np.ndarray):
        raise UserError(f"{type(picture).__name__} is no picture: give a file, a NumPy array or one of Pillow.")
    if picture.ndim == 2:
        picture = np.repeat(picture[:, :, None], 3, axis=2)
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or not picture.size:
        raise UserError(
            f"The array of a picture has the shape {picture.shape} and the type {picture.dtype}: give uint8, RGB "
            "(height, width, 3) or grey (height, width)."
        )
    return reduced(np.ascontiguousarray(picture), short_side)


class GivenPictures(Pictures):
    """Pictures that were handed over, made ready when they are asked for.

    Args:
        pictures: As `open_picture` takes them.
        short_side: Larger ones are reduced to it, in pixels.
    """

    def __init__(self, pictures: Sequence[Picture], short_side: int) -> None:
        self.pictures, self.short_side = pictures, short_side

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, row: int) -> np.ndarray:
        return open_picture(self.pictures[row], self.short_side)
