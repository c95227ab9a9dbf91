"""JPEG files that are made up: small ones to train on, and some of the size and weight of dermoscopy images."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from disk_cache import skin

COLOURS = {"nevus": (80, 90, 170), "melanoma": (60, 60, 60), "keratosis": (70, 120, 150), "vascular": (60, 40, 190)}
COUNTS = (120, 48, 24, 16)


def paint_classes(folder: Path, side: int) -> Path:
    """Writes noisy pictures, one folder for each class, from common to rare; returns the folder."""
    rng = np.random.default_rng(0)
    for (name, colour), count in zip(COLOURS.items(), COUNTS, strict=True):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            picture = np.array(colour) + 25 * rng.standard_normal((side, side, 3))
            cv2.imwrite(str(folder / name / f"{number:03d}.jpg"), picture.clip(0, 255).astype(np.uint8))
    return folder


def paint_skin(folder: Path, number: int, classes: Sequence[str] = ("common", "rare")) -> Path:
    """Writes pictures of 600 x 450 pixels that take as long to decode as those of HAM10000; returns the folder."""
    for row in range(number):
        name = classes[row % 4 == 0]
        (folder / name).mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / name / f"{row:04d}.jpg"), skin(450, 600, 110.0, row), [cv2.IMWRITE_JPEG_QUALITY, 99])
    return folder
