"""What one picture looks like, in a few bytes: its perceptual hashes, size and mode, and a digest of its file."""

import hashlib
from typing import NamedTuple

import numpy as np
import scipy.fft
from PIL import Image

from lightning_imbal.data.pictures.picture_format import picture_format
from lightning_imbal.data.pictures.read import read_image
from lightning_imbal.errors import BadImageError

# A side of 8 (64 bits) cannot tell lesions apart: 40 pairs of different lesions in HAM10000 are within 2 bits, and only
# one of them is really the same picture.
HASH_SIDE = 16
LOW_SIDE = 8
TURNS = 8
SHORT_SIDE = 256  # pictures are read at this size: a large JPEG is then decoded several times faster
MIN_CONTRAST = 4  # grey levels between the darkest and the brightest place; below, a hash only holds noise


class Look(NamedTuple):
    """What one picture shows.

    `hashes` (8, 4) uint64 are those of its 8 turns (see `turned`), `low` (8, 8) float32 its lowest frequencies; both
    are None if it is unreadable or flat. `size`, `mode` and `digest` are None if the file cannot be opened; `cause`
    says why it cannot be read.
    """

    hashes: np.ndarray | None
    low: np.ndarray | None
    size: str | None
    mode: str | None
    digest: bytes | None
    cause: str | None


def look_at(path: str) -> Look:
    """Reads a picture file."""
    (size, mode), digest = picture_format(path), content_digest(path)
    try:
        hashes, low = hashes_of(read_image(path, SHORT_SIDE))
    except BadImageError as error:
        return Look(None, None, size, mode, digest, str(error))
    return Look(hashes, low, size, mode, digest, None)


def look_at_pixels(pixels: np.ndarray) -> Look:
    """Looks at a picture that is no file of its own, uint8 RGB (H, W, 3)."""
    digest = hashlib.blake2b(pixels.tobytes(), digest_size=16).digest()
    hashes, low = hashes_of(pixels)
    return Look(hashes, low, f"{pixels.shape[1]}x{pixels.shape[0]}", "RGB", digest, None)


def content_digest(path: str) -> bytes | None:
    """Digest of a file's bytes; None if it is empty or cannot be read."""
    try:
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).digest()
            return digest if file.tell() else None
    except OSError:
        return None


def hashes_of(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray] | tuple[None, None]:
    """Perceptual hashes (8, 4) of the 8 turns of a picture, uint8 RGB, and its lowest frequencies (8, 8).

    None if it is of a single colour.

    The first is `imagehash.phash` of 256 bits: which of the lowest frequencies of its cosine transform are above their
    median. In those of a turned picture, the odd ones change sign and the two directions their places.
    """
    side = 4 * HASH_SIDE
    small = np.asarray(Image.fromarray(pixels).convert("L").resize((side, side), Image.Resampling.LANCZOS))
    if np.ptp(small) < MIN_CONTRAST:
        return None, None
    low = scipy.fft.dctn(small.astype(np.float64))[:HASH_SIDE, :HASH_SIDE]
    across = (-1.0) ** np.arange(HASH_SIDE)
    down = across[:, None]
    laid = [(way, (way * across).T, way * across * down, (way * down).T) for way in (low, low * across)]
    flat = np.reshape(laid, (TURNS, -1))
    hashes = np.packbits(flat > np.median(flat, axis=1, keepdims=True), axis=1).view(np.uint64)
    return hashes, low[:LOW_SIDE, :LOW_SIDE].astype(np.float32)
