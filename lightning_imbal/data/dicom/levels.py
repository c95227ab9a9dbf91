"""From stored values of a DICOM picture to what is black and white: the transformations of PS3.3 C.11."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import expit

Range = tuple[float, float]
WORD = 65536


class Levels(NamedTuple):
    """Values on their way from the file to the screen.

    Attributes:
        values: (H, W).
        bounds: Least and greatest value that there may be.
        span: The values that are black and white.
    """

    values: np.ndarray
    bounds: Range
    span: Range


def stored_range(bits: int, signed: bool) -> Range:
    """Least and greatest value of so many bits."""
    return (-(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1) if signed else (0.0, 2.0**bits - 1)


def rescaled(levels: Levels, slope: float, intercept: float) -> Levels:
    """`slope * value + intercept` (C.11.1.1.2); integers stay such where both are whole."""
    if (slope, intercept) == (1, 0):
        return levels
    low, high = sorted(slope * bound + intercept for bound in levels.bounds)
    whole = float(slope).is_integer() and float(intercept).is_integer() and max(-low, high) < 2**31
    if whole and levels.values.dtype.kind in "iu":
        values: np.ndarray = levels.values.astype(np.int32)
        values *= int(slope)
        values += int(intercept)
    else:
        values = levels.values.astype(np.float64) * slope + intercept
    return Levels(values, (low, high), (low, high))


def looked_up(levels: Levels, descriptor: Sequence[int], data: Sequence[int] | np.ndarray) -> Levels:
    """What a table gives for each value (C.11.1.1.1, C.11.2.1.1); below and above it, its first and last entry.

    Args:
        levels: The values.
        descriptor: Number of entries (0 is 65536), the value that the first one stands for, and their bits.
        data: The entries.
    """
    number, first, bits = descriptor
    number = number % WORD or WORD
    if first >= WORD // 2 and levels.bounds[0] < 0:  # a signed number that was written as an unsigned one
        first -= WORD
    place = np.clip(np.rint(levels.values).astype(np.int64) - first, 0, number - 1)
    white = 2.0**bits - 1
    return Levels(np.asarray(data, np.int32)[:number][place], (0.0, white), (0.0, white))


def windowed(levels: Levels, centre: float, width: float, function: str = "LINEAR") -> Levels | None:
    """A window (C.11.2.1.2, C.11.2.1.3): a linear one only says what is black and white, a sigmoid changes the values.

    Args:
        levels: The values.
        centre: Its middle.
        width: At least 1 for LINEAR, above 0 for the others.
        function: LINEAR, LINEAR_EXACT or SIGMOID.

    Returns:
        None if there is no such function, or none of such a width.
    """
    if not np.isfinite([centre, width]).all() or not (width >= 1 if function == "LINEAR" else width > 0):
        return None
    if function == "SIGMOID":
        return Levels(expit(4 * (levels.values - centre) / width), (0.0, 1.0), (0.0, 1.0))
    if function == "LINEAR":
        centre, width = centre - 0.5, width - 1
    elif function != "LINEAR_EXACT":
        return None
    if width == 0:  # one step, for which no span can stand
        return Levels((levels.values > centre).astype(np.int16), (0.0, 1.0), (0.0, 1.0))
    return levels._replace(span=(centre - width / 2, centre + width / 2))


def turned(levels: Levels) -> Levels:
    """White for black, as MONOCHROME1 is meant."""
    low, high = levels.bounds
    total = low + high
    if levels.values.dtype.kind in "iu":
        # The sum and each difference are within the bounds, and so within the type, modulo its size.
        values = np.asarray(int(total)).astype(levels.values.dtype) - levels.values
    else:
        values = total - levels.values
    return Levels(values, levels.bounds, (total - levels.span[1], total - levels.span[0]))
