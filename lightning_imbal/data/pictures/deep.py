"""The values of deep pictures, and of pictures that are not opaque everywhere, as their files have them."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageOps

from lightning_imbal.data.pictures.headers import (
    BIT_DEPTH,
    BITS,
    EXTRA,
    FLOAT,
    PHOTOMETRIC,
    PNG_START,
    PREMULTIPLIED,
    SAMPLE_FORMAT,
    WHITE_IS_ZERO,
    header_of,
    is_dicom,
    is_opaque_png,
)
from lightning_imbal.data.pictures.raw import Raw
from lightning_imbal.errors import BadImageError

READ = {1: (8, 10, 12, 14, 16, 32, 64), 2: (8, 16, 32, 64), 3: (32, 64)}  # bits of each sample format of a TIFF
TURNED = "white is the smallest value, and black and white are exchanged"
TRANSPARENT = "transparent parts are black"


def decode_raw(encoded: bytes, path: str | Path, window: tuple[float, float] | None = None) -> Raw:
    """Decodes the content of a picture file of any kind, upright where its file says how it is turned.

    Args:
        encoded: The content.
        path: The file, for messages.
        window: Centre and width of what is seen of a DICOM file; None is its own.

    Raises:
        BadImageError: It is damaged, no picture or of a kind that cannot be read, or a value is no number.
    """
    if is_dicom(encoded, str(path)) and not encoded.startswith(PNG_START):
        from lightning_imbal.data.pictures.dicom import read_dicom

        raw = read_dicom(encoded, path, window)
    elif encoded.startswith(PNG_START) or encoded.startswith(b"RIFF"):
        raw = _opened(*_of_png(encoded, path))
    else:
        raw = _of_tiff(encoded, path)
    refuse_no_numbers(raw.values, path)
    return raw


def refuse_no_numbers(values: np.ndarray, name: str | Path) -> None:
    """Refuses a picture that has a value that is no number.

    Raises:
        BadImageError: The message names the picture and the value.
    """
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        what = "no numbers (NaN)" if np.isnan(values).any() else "infinite"
        raise BadImageError(
            f"{name} has values that are {what}: write numbers in their place, such as the darkest, or remove it."
        )


def _decoded(encoded: bytes, flags: int, path: str | Path) -> np.ndarray:
    try:
        image = cv2.imdecode(np.frombuffer(encoded, np.uint8), flags)
    except cv2.error:
        image = None
    if image is None:
        raise BadImageError(f"Cannot decode the image {path}: it is damaged or no picture; replace or remove it.")
    return image


def _of_png(encoded: bytes, path: str | Path) -> tuple[np.ndarray, np.ndarray | None]:
    """Values in BGR and opacity of a PNG or WebP."""
    if encoded.startswith(PNG_START) and is_opaque_png(encoded):
        return _decoded(encoded, cv2.IMREAD_ANYDEPTH | cv2.IMREAD_ANYCOLOR, path), None
    image = _decoded(encoded, cv2.IMREAD_UNCHANGED, path)
    if image.ndim == 3:
        image = _upright(image, encoded)
        return image[..., :3], image[..., 3] if image.shape[2] == 4 else None
    # One grey value of the pixels that are transparent, which OpenCV does not look at.
    place = encoded.find(b"tRNS", 33) + 4
    key = int.from_bytes(encoded[place : place + 2])
    if encoded[BIT_DEPTH] < 8:
        key = key * 255 // (2 ** encoded[BIT_DEPTH] - 1)
    opacity = np.where(image != key, np.iinfo(image.dtype).max, 0).astype(image.dtype)
    return _upright(image[..., None], encoded)[..., 0], _upright(opacity[..., None], encoded)[..., 0]


def _upright(image: np.ndarray, encoded: bytes) -> np.ndarray:
    """A picture with its opacity, which OpenCV leaves as the camera was held."""
    if b"eXIf" not in encoded[:4096] and b"EXIF" not in encoded[-4096:]:
        return image
    with Image.open(io.BytesIO(encoded)) as picture:
        number = np.arange(image.shape[0] * image.shape[1], dtype=np.int32).reshape(image.shape[:2])
        places = Image.fromarray(number)
        places.getexif().update(picture.getexif())
        order = np.asarray(ImageOps.exif_transpose(places))
    return image.reshape(-1, image.shape[2])[order]


def _of_tiff(encoded: bytes, path: str | Path) -> Raw:
    header = header_of(io.BytesIO(encoded), str(path))
    tags: Mapping[int, Any] = header.tiff or {}
    bits, kind = max(tags.get(BITS, (8,))), max(tags.get(SAMPLE_FORMAT, (1,)))
    if bits not in READ.get(kind, ()):
        raise BadImageError(
            f"{path} is a TIFF of {header.depth} a value{'' if kind in READ else ', complex or of no known kind'}, "
            "which cannot be read: save it with 16 bits, or with floating point of 32 bits."
        )
    image = _decoded(encoded, cv2.IMREAD_UNCHANGED, path)
    if bits in (10, 12, 14):  # OpenCV moves their bits to the upper end of 16
        image = image >> (16 - bits)
    values, notes = image, list(header.notes)
    if tags.get(PHOTOMETRIC) == WHITE_IS_ZERO:
        values = -values if kind == FLOAT else ~values if bits in (8, 16, 32, 64) else 2**bits - 1 - values
        notes.append(TURNED)
    opacity = None
    if values.ndim == 3 and values.shape[2] == 4:
        values, opacity = values[..., :3], values[..., 3]
        if PREMULTIPLIED in tags.get(EXTRA, ()) or not header.transparent:
            opacity = None
    return _opened(values, opacity, tuple(notes))


def _opened(values: np.ndarray, opacity: np.ndarray | None, notes: tuple[str, ...] = ()) -> Raw:
    """Values in BGR as RGB, and opacity from 0 to 1, of a picture that is not opaque everywhere."""
    if values.ndim == 3:
        values = values[..., ::-1] if values.shape[2] == 3 else values[..., 0]
    if opacity is None:
        return Raw(values, None, notes)
    white = np.iinfo(opacity.dtype).max if opacity.dtype.kind in "ui" else 1
    if opacity.min() >= white:
        return Raw(values, None, notes)
    return Raw(values, None, (*notes, TRANSPARENT), (opacity / white).astype(np.float32))
