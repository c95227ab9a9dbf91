"""Reads one picture file as RGB, upright and reduced."""

import io
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from lightning_imbal.atomic_files import is_endless
from lightning_imbal.data.pictures import fast_jpeg
from lightning_imbal.data.pictures.deep import decode_raw
from lightning_imbal.data.pictures.grey_levels import BY_ITSELF, Reading
from lightning_imbal.data.pictures.headers import PNG_START, is_special
from lightning_imbal.data.pictures.size import shrink
from lightning_imbal.errors import BadImageError

JPEG_START, JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"
PNG_END = b"IEND\xaeB`\x82"
# All in BGR: OpenCV has no reduced flags in RGB, and none at all before 4.11.
FLAG_OF_REDUCTION = {
    8: cv2.IMREAD_REDUCED_COLOR_8,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    1: cv2.IMREAD_COLOR,
}


def read_image(path: str | Path, short_side: int | None = None, reading: Reading = BY_ITSELF) -> np.ndarray:
    """Decodes a picture file to RGB (H, W, 3), upright by its EXIF orientation.

    Args:
        path: The file.
        short_side: A picture whose short side is longer by more than a tenth is reduced to it, keeping its aspect. A
            large JPEG is decoded at a half, a quarter or an eighth of its size before it is averaged: in half the time.
        reading: How values of more than 8 bits become grey levels, and whether the picture is uint8 or uint16; by
            default uint8, the smallest value of the picture black and the largest white.

    Raises:
        BadImageError: The file cannot be read, is truncated or is no picture; the message names it. Its cause is an
            OSError if the file could not be read.
    """
    encoded = read_whole(path)
    if not encoded.startswith(JPEG_START) and is_special(encoded, path):
        return reading(decode_raw(encoded, path, reading.dicom_window), path, short_side)
    try:
        image = _decode(encoded, short_side)
    except cv2.error:
        image = None
    if image is None:
        raise BadImageError(f"Cannot decode the image {path}: it is damaged or no picture; replace or remove it.")
    return image if reading.bits == 8 else reading.in_type(image)


def read_whole(path: str | Path) -> bytes:
    """The content of a picture file.

    Raises:
        BadImageError: As `read_image`.
    """
    try:
        if is_endless(path):
            raise BadImageError(f"{path} is no file but a pipe or a device, not an image: remove it.")
        with open(path, "rb") as file:  # of a small picture, a tenth faster than by its Path
            encoded = file.read()
    except OSError as error:
        mend = "allow it to be read" if isinstance(error, PermissionError) else "restore the file"
        raise BadImageError(f"Cannot read the image {path} ({error.strerror}): {mend}.") from error
    if not encoded:
        raise BadImageError(f"The image {path} is empty: replace or remove it.")
    if _is_truncated(encoded):
        raise BadImageError(f"The image {path} is truncated or damaged: copy it again, or remove it.")
    return encoded


def _is_truncated(encoded: bytes) -> bool:
    """Whether the end of a JPEG or PNG is missing: OpenCV 4 fills what is missing with grey and says nothing."""
    if encoded.startswith(PNG_START):
        return encoded.rfind(PNG_END) < 0
    if not encoded.startswith(JPEG_START) or encoded.endswith(JPEG_END):
        return False
    # Some cameras write more behind the end of a picture. Pillow refuses one that is not all there.
    stream = io.BytesIO(encoded)
    try:
        picture = Image.open(stream)
        begin_of_pixels = stream.tell()
        picture.load()
    except (OSError, SyntaxError, Image.DecompressionBombError):
        return True
    return encoded.find(JPEG_END, begin_of_pixels) < 0


def _decode(encoded: bytes, short_side: int | None) -> np.ndarray | None:
    header = _jpeg_header(encoded)
    full_size = header.size if header else (0, 0)
    reduction = next(n for n in FLAG_OF_REDUCTION if n == 1 or min(full_size) >= n * (short_side or np.inf))
    image = fast_jpeg.decode(encoded, header, reduction) if header else None
    if image is None:
        image = cv2.imdecode(np.frombuffer(encoded, np.uint8), FLAG_OF_REDUCTION[reduction])
        if image is None:
            return None
        image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    return image if short_side is None else shrink(image, short_side, full_size, reduction)


def _jpeg_header(encoded: bytes) -> Image.Image | None:
    """A JPEG before it is turned, with its size in pixels but without them; None of any other file."""
    if not encoded.startswith(JPEG_START):
        return None
    try:
        return Image.open(io.BytesIO(encoded))
    except (OSError, Image.DecompressionBombError):
        return None
