"""What the elements of a DICOM file say of its picture, in whatever form they are written."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lightning_imbal.data.dicom.levels import WORD, stored_range

if TYPE_CHECKING:
    from pydicom import Dataset


def description(dataset: "Dataset", macro: str) -> "Dataset":
    """What holds a description of the picture: the groups of an enhanced file that have it, else the file itself."""
    for groups in ("PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence"):
        if (found := dataset.get(groups)) and (inner := found[0].get(macro)):
            return inner[0]
    return dataset


def several(value: Any) -> Sequence[Any]:
    """The values of an element that may have none, one or several."""
    if value is None or value == "":
        return ()
    return value if isinstance(value, Sequence) and not isinstance(value, str) else (value,)


def number(value: Any) -> float | None:
    """The only or first value of an element as a finite number."""
    first = next(iter(several(value)), None)
    return float(first) if first is not None and np.isfinite(float(first)) else None


def entries(dataset: "Dataset", item: "Dataset") -> np.ndarray:
    """The entries of a table, which are words, or bytes of 8 or 16 bits each."""
    data, needed = item.LUTData, int(item.LUTDescriptor[0]) or WORD
    if not isinstance(data, bytes):
        found = np.asarray(several(data), np.int64) % WORD
    elif len(data) < 2 * needed:
        found = np.frombuffer(data, np.uint8)
    else:
        found = np.frombuffer(data[: 2 * needed], "<u2" if dataset.original_encoding[1] else ">u2")
    if len(found) < needed:
        raise ValueError(f"a table has {len(found)} of {needed} entries")
    return found


def padding_of(dataset: "Dataset", stored: np.ndarray) -> np.ndarray | None:
    """Where the picture is padding, by its stored values; None if it has none."""
    first = number(dataset.get("PixelPaddingValue"))
    if first is None or stored.dtype.kind == "f":
        return None
    limit = number(dataset.get("PixelPaddingRangeLimit"))
    ends = [_as_stored(value, dataset) for value in (first, first if limit is None else limit)]
    return (stored >= min(ends)) & (stored <= max(ends))


def _as_stored(value: float, dataset: "Dataset") -> int:
    """A stored value that may be written as if it had the other sign."""
    low, high = stored_range(dataset.BitsAllocated, bool(dataset.PixelRepresentation))
    return int(value + 2.0**dataset.BitsAllocated * ((value < low) - (value > high)))
