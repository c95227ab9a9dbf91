"""From the values of a deep picture to the grey levels that a network sees."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np

from lightning_imbal.data.pictures.raw import Raw
from lightning_imbal.data.pictures.size import shrink
from lightning_imbal.errors import BadImageError, UserError

Range = tuple[float, float]
Depth = Literal["auto"] | tuple[float, float] | dict[str, tuple[float, float]]
WHITE = 65535
MEND = "say which values are black and white with data.depth=[low, high]"


@dataclass(frozen=True)
class Reading:
    """How deep pictures become grey levels; those of 8 bits stay as they are.

    Args:
        limits: The values that are black and white; None is what the file itself says, else `range`.
        percentile: Two percentiles of each picture by itself, which are black and white instead; None is none.
        window: Centre and width of what is seen of a DICOM file; None is its own.
        bits: Of what becomes of every picture: 8 or 16.
        range: The smallest and the largest value of a data set; None if it is not known.

    Raises:
        UserError: They are no such numbers.
    """

    limits: Range | None = None
    percentile: Range | None = None
    window: Range | None = None
    bits: int = 8
    range: Range | None = None

    @property
    def needs_range(self) -> bool:
        """Whether the range of a data set says what is black and white."""
        return self.limits is None and self.percentile is None

    @property
    def settings(self) -> dict[str, Any]:
        """What it is asked for, or known, plain enough for JSON."""
        chosen = {name: getattr(self, name) for name in ("limits", "percentile", "window", "range")}
        return {**{name: list(pair) for name, pair in chosen.items() if pair is not None}, "bits": self.bits}

    @property
    def lacks_range(self) -> bool:
        """Whether only a picture that itself says what is black and white can be read."""
        return self.needs_range and self.range is None

    @property
    def dicom_window(self) -> tuple[float, float] | None:
        """The window of DICOM files: two values that are black and white are one as well, see PS3.3 C.11.2.1.2."""
        if self.window is None and self.limits is not None:
            low, high = self.limits
            return (low + high + 1) / 2, high - low + 1
        return self.window

    def __call__(self, raw: Raw, path: str | Path, short_side: int | None = None) -> np.ndarray:
        """Returns RGB (H, W, 3), uint8 or uint16, reduced to a short side; transparent parts are black.

        Raises:
            BadImageError: The picture is deep, and nothing says which of its values are black and white.
        """
        if raw.values.dtype == np.uint8 and raw.span is None:
            if raw.opacity is None:
                return self.finished(raw.values, short_side)
            image = raw.values.astype(np.uint16) * 257
        else:
            image = levels(raw.values, *self._limits(raw, path))
        if raw.opacity is not None:
            opacity = raw.opacity if image.ndim == 2 else raw.opacity[..., None]
            image = np.rint(image * opacity).astype(np.uint16)
        return self.finished(image, short_side)

    def finished(self, image: np.ndarray, short_side: int | None = None) -> np.ndarray:
        """Grey levels (H, W) or RGB (H, W, 3), uint8 or uint16, as RGB of the right size and type."""
        if short_side is not None:
            image = shrink(np.ascontiguousarray(image), short_side)
        image = self.in_type(image)
        return np.repeat(image[..., None], 3, axis=2) if image.ndim == 2 else np.ascontiguousarray(image)

    def in_type(self, image: np.ndarray) -> np.ndarray:
        """Grey levels, uint8 or uint16, in the type of `bits`."""
        if self.bits == 16:
            return image if image.dtype == np.uint16 else image.astype(np.uint16) * np.uint16(257)
        return image if image.dtype == np.uint8 else cv2.convertScaleAbs(image, alpha=1 / 257)

    def _limits(self, raw: Raw, path: str | Path) -> Range:
        """Which values are black and white."""
        if self.percentile is not None:
            seen = raw.values if raw.opacity is None else raw.values[raw.opacity > 0]
            if not seen.size:
                return 0, 0
            low, high = np.percentile(seen, self.percentile).tolist()
            return (low, high) if low < high else (seen.min().item(), seen.max().item())
        if raw.span is not None:
            return raw.span
        limits = self.limits or self.range
        if limits is None:
            raise BadImageError(f"{path} has more than 8 bits, and no range of its data set is known: {MEND}.")
        return limits


AS_FOUND = Reading()
BY_ITSELF = Reading(percentile=(0, 100))  # where only what a picture shows counts, such as for duplicates


def levels(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Grey levels, uint16, of values: `low` and less is black, `high` and more is white; all black if they are equal.

    Example:
        >>> levels(np.array([-5, 0, 50, 100, 4000], np.int16), 0, 100)
        array([    0,     0, 32768, 65535, 65535], dtype=uint16)
    """
    if not low < high:
        return np.zeros(values.shape, np.uint16)
    exact: np.ndarray[Any, np.dtype[np.floating]] = values.astype(
        np.float64 if values.dtype.itemsize > 2 else np.float32
    )
    exact -= low
    exact *= WHITE / (high - low)
    np.clip(np.rint(exact, out=exact), 0, WHITE, out=exact)
    return exact.astype(np.uint16)


def reading_of(depth: Depth, window: Sequence[float] | str | None, bits: int) -> Reading:
    """How deep pictures are read by the settings of a data set.

    Args:
        depth: `auto`, two numbers, or `{"percentile": two numbers}`.
        window: Two numbers, or both in a text with a comma.
        bits: 8 or 16.

    Raises:
        UserError: A setting is none of these; the message names it.
    """
    if isinstance(depth, Mapping):
        if depth.keys() != {"percentile"}:
            raise UserError(f"data.depth has {', '.join(depth)}, but can only have percentile: [low, high].")
        low, high = _pair("data.depth.percentile", depth["percentile"])
        if not 0 <= low < high <= 100:
            raise UserError(f"data.depth.percentile must be two that rise from 0 to 100, but is [{low:g}, {high:g}].")
        chosen = Reading(percentile=(low, high))
    elif isinstance(depth, str):
        if depth != "auto":
            raise UserError(f"data.depth is {depth!r}: it can be auto, [low, high] or {{percentile: [low, high]}}.")
        chosen = Reading()
    else:
        low, high = _pair("data.depth", depth)
        if not low < high:
            raise UserError(f"data.depth must be two values that rise, but is [{low:g}, {high:g}].")
        chosen = Reading((low, high))
    seen = None if window is None else _pair("data.window", window.split(",") if isinstance(window, str) else window)
    if seen is not None and seen[1] < 1:
        raise UserError(f"data.window has the width {seen[1]:g}: it must be at least 1.")
    return replace(chosen, window=seen, bits=bits)


def _pair(name: str, values: Sequence[float] | Sequence[str]) -> Range:
    try:
        low, high = map(float, values)
    except ValueError:
        low = high = float("nan")
    if not (isfinite(low) and isfinite(high)):
        raise UserError(f"{name} must be two numbers, but is {values}.")
    return low, high
