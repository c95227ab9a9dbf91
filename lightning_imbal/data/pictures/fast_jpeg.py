"""Decodes the usual JPEG by simplejpeg, where that is installed: the same pixels as by OpenCV, somewhat sooner."""

import numpy as np
from PIL import Image

try:
    import simplejpeg
except ImportError:
    simplejpeg = None

ORIENTATION, UPRIGHT = 0x0112, 1  # of EXIF
MODES = ("RGB", "L")


def decode(encoded: bytes, header: Image.Image, reduction: int) -> np.ndarray | None:
    """RGB pixels (H, W, 3) of a JPEG, which are those of OpenCV bit for bit: libjpeg-turbo makes both.

    None of one that is left to OpenCV: where simplejpeg is not installed, and of a picture that is to be turned, has
    other colours than RGB and grey, or is damaged.

    Args:
        encoded: The content of the file.
        header: The picture as Pillow has opened it, without its pixels.
        reduction: It is decoded at this part of its size: 2 is a half; 1, 2, 4 or 8.
    """
    if simplejpeg is None or header.mode not in MODES or _is_turned(header):
        return None
    width, height = (-(-side // reduction) for side in header.size)
    try:
        return simplejpeg.decode_jpeg(encoded, "RGB", min_height=height, min_width=width)
    except ValueError:
        return None


def _is_turned(header: Image.Image) -> bool:
    """Whether it may be: OpenCV finds orientations in damaged EXIF in which Pillow finds none."""
    return "exif" in header.info and header.getexif().get(ORIENTATION) != UPRIGHT
