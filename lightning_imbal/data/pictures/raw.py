"""A decoded picture before its values are made grey levels."""

from typing import NamedTuple

import numpy as np


class Raw(NamedTuple):
    """The values of a picture as its file has them.

    Attributes:
        values: (H, W) grey or (H, W, 3) RGB, uint8 or any deeper real type; the largest is white.
        span: The values that the file itself says are black and white, as DICOM does; None if it says nothing.
        notes: What was assumed or left out when it was read, each as a clause that can follow "Of 3 pictures", such as
            "only the first page is read".
        opacity: (H, W) float32 from 0, where nothing is seen of the picture, to 1; None if all of it is.
    """

    values: np.ndarray
    span: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()
    opacity: np.ndarray | None = None
