"""Picture files with known pixels."""

import io

import cv2
import numpy as np
from PIL import Image


def smooth(height, width, seed=0):
    """A picture without noise, which looks alike at every scale."""
    coarse = np.random.default_rng(seed).integers(40, 216, (3, 4, 3), dtype=np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def encode(image, kind, **options):
    buffer = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(buffer, kind, **options)
    return buffer.getvalue()


def write(path, pixels):
    """Writes a picture whose channels are in the order that cv2 expects, also where the path is not ASCII."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix, pixels)[1].tobytes())
    return path
