"""Reduces pictures to a short side."""

import cv2
import numpy as np


def shrink(image: np.ndarray, short_side: int, full_size: tuple[int, int] = (0, 0), reduction: int = 1) -> np.ndarray:
    """Averages a picture (H, W) or (H, W, 3) over areas, unless it is hardly larger than asked for.

    Args:
        image: Of uint8 or uint16.
        short_side: What its short side becomes; one that is longer by at most a tenth is left.
        full_size: Width and height of a picture that was decoded at a part of its size, before it was turned.
        reduction: Such a part: 2 is a half.
    """
    height, width = image.shape[:2]
    if reduction > 1:  # the exact aspect ratio is that of the whole picture, turned as this one is
        is_turned = width != -(-full_size[0] // reduction)
        height, width = full_size if is_turned else full_size[::-1]
    scale = short_side / min(height, width)
    if scale > 0.9:  # shrinking costs more than these pixels
        return image
    return cv2.resize(image, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
