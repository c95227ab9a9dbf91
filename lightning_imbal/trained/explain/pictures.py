"""Pictures of where a network looks, and the names of their files."""

import re
from hashlib import sha256

import cv2
import numpy as np

SIDE = 224  # of a picture in a file, at least, in pixels
LONGEST = 100  # letters of a part of a file's name


def enlarged(picture: np.ndarray) -> np.ndarray:
    """A picture (H, W, 3), floats in 0..1, whose pixels are repeated until its sides have at least 224."""
    times = -(-SIDE // min(picture.shape[:2]))
    return picture.repeat(times, axis=0).repeat(times, axis=1)


def overlay(picture: np.ndarray, found: np.ndarray) -> np.ndarray:
    """A picture below the colours of a map, RGB (H, W, 3), uint8; below one that is 0 everywhere, as it is.

    Args:
        picture: RGB (H, W, 3), floats in 0..1.
        found: A map (h, w) in 0..1.
    """
    from pytorch_grad_cam.utils.image import show_cam_on_image

    if not found.any():
        return (255 * picture).astype(np.uint8)
    large = cv2.resize(found, picture.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return show_cam_on_image(picture, large, use_rgb=True, colormap=cv2.COLORMAP_VIRIDIS)


def beside(picture: np.ndarray, found: np.ndarray) -> bytes:
    """A PNG file: a picture (H, W, 3), floats in 0..1, and beside it the same below the colours of a map (H, W)."""
    large = enlarged(picture)
    both = np.hstack(
        [(255 * large).astype(np.uint8), np.full((len(large), 8, 3), 255, np.uint8), overlay(large, found)]
    )
    return cv2.imencode(".png", cv2.cvtColor(both, cv2.COLOR_RGB2BGR))[1].tobytes()


def file_name(*parts: str) -> str:
    """A name for a PNG file of parts that may hold any signs: one that had to be changed ends in its digest."""
    return f"{'_'.join(map(_plain, parts))}.png"


def _plain(text: str) -> str:
    plain = re.sub(r"[^\w. -]+", "-", text)[:LONGEST]
    return plain if plain == text else f"{plain}-{sha256(text.encode()).hexdigest()[:6]}"
