"""Pictures that were handed over: files, arrays, or those of Pillow."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from lightning_imbal.data.pictures.base import Pictures
from lightning_imbal.data.pictures.deep import refuse_no_numbers
from lightning_imbal.data.pictures.grey_levels import BY_ITSELF, Reading
from lightning_imbal.data.pictures.raw import Raw
from lightning_imbal.data.pictures.read import read_image
from lightning_imbal.errors import UserError

Picture = str | Path | np.ndarray | Image.Image


def open_picture(picture: Picture, short_side: int, reading: Reading = BY_ITSELF) -> np.ndarray:
    """A picture as RGB (H, W, 3), upright and reduced, as one of a data set is read.

    Args:
        picture: A file, which is decoded as everywhere here; an array, RGB (H, W, 3) or grey (H, W), uint8 or, where
            `reading` says which values are black and white, any deeper one; or one of Pillow. A file that Pillow has
            decoded may differ from the file in the last bits.
        short_side: A larger picture is reduced to it, in pixels.
        reading: How deep pictures are read.

    Raises:
        UserError: It is none of these.
        BadImageError: The file cannot be read, or a value is no number.
    """
    if isinstance(picture, str | Path):
        return read_image(Path(picture).expanduser(), short_side, reading)
    raw = _of_pillow(picture) if isinstance(picture, Image.Image) else Raw(picture)
    values = raw.values
    if not isinstance(values, np.ndarray):
        raise UserError(f"{type(values).__name__} is no picture: give a file, a NumPy array or one of Pillow.")
    readable = values.dtype == np.uint8 or (values.dtype.kind in "iuf" and not reading.lacks_range)
    if not readable or values.ndim not in (2, 3) or values.shape[2:] not in ((), (3,)) or not values.size:
        raise UserError(
            f"The array of a picture has the shape {values.shape} and the type {values.dtype}: give uint8, RGB "
            "(height, width, 3) or grey (height, width)"
            + (", or another type with data.depth=[low, high]." if reading.lacks_range else ".")
        )
    refuse_no_numbers(values, "The array of a picture")
    return reading(raw, "The array of a picture", short_side)


def _of_pillow(picture: Image.Image) -> Raw:
    picture = ImageOps.exif_transpose(picture)
    if picture.mode[:1] in "IF":  # of more than 8 bits
        return Raw(np.asarray(picture))
    if picture.has_transparency_data:
        pixels = np.asarray(picture.convert("RGBA"))
        return Raw(pixels[..., :3], opacity=pixels[..., 3] / np.float32(255))
    return Raw(np.asarray(picture.convert("RGB")))


class GivenPictures(Pictures):
    """Pictures that were handed over, made ready when they are asked for.

    Args:
        pictures: As `open_picture` takes them.
        short_side: Larger ones are reduced to it, in pixels.
        reading: How deep ones are read.
    """

    def __init__(self, pictures: Sequence[Picture], short_side: int, reading: Reading = BY_ITSELF) -> None:
        self.pictures, self.short_side, self.reading = pictures, short_side, reading

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, row: int) -> np.ndarray:
        return open_picture(self.pictures[row], self.short_side, self.reading)
