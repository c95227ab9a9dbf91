"""Sentences on how deep the pictures of a data set are, and how they are read."""

from collections import Counter

from lightning_imbal.data.pictures.depths import Depths
from lightning_imbal.data.pictures.grey_levels import Range, Reading
from lightning_imbal.wording import number_of

MAX_NOTES = 8
FEWEST_LEVELS = 16


def sentences(depths: Depths, reading: Reading) -> list[str]:
    """What there is to say; nothing of pictures that all have 8 bits and are opaque.

    Args:
        depths: Of the pictures.
        reading: How they are read.
    """
    told, table = [], depths.table
    if table["deep"].any():
        counts = table.groupby(["deep", "depth"], sort=True).size().iloc[::-1]
        kinds = [_kind(depth, deep, depths, reading) for deep, depth in counts.index]
        first, *more = [f"{images:,} of {kind}" for images, kind in zip(counts, kinds, strict=True)]
        first = first.replace(" of ", " picture of " if counts.iloc[0] == 1 else " pictures of ", 1)
        told.append(f"{'Mixed depths: ' if more else ''}{', '.join([first, *more])}.")
        told += _outside(depths, reading)
        if reading.bits == 16:
            told.append("All reach the network with 16 bits.")
    notes = Counter(note for text in table["notes"] if text for note in text.split("\n"))
    return [*told, *(f"Of {number_of(images, 'picture')} {note}." for note, images in notes.most_common(MAX_NOTES))]


def _kind(depth: str, deep: bool, depths: Depths, reading: Reading) -> str:
    """A depth, and in brackets which values are black and white."""
    if not deep:
        return f"{depth} (as they are)"
    if depth == "DICOM":
        return f"{depth} ({_of_dicom(reading)})"
    rows = depths.table[depths.table["depth"] == depth]
    values = _as_text((rows["low"].min(), rows["high"].max())) if rows["low"].notna().any() else ""
    return f"{depth} ({_of_values(reading, values)})"


def _of_values(reading: Reading, values: str) -> str:
    before = f"values {values}" if values else ""
    chosen = reading.limits or reading.range
    if reading.percentile is not None:
        how = _by_itself(reading.percentile)
    elif chosen is None:
        how = "no range of their values is known"
    elif _as_text(chosen) == values:
        return f"{before}: read as black to white"
    else:
        how = f"{_as_text(chosen)} are read as black to white"
    return "; ".join(filter(None, [before, how]))


def _by_itself(percentile: Range) -> str:
    return f"percentiles {percentile[0]:g} and {percentile[1]:g} of each picture are read as black and white"


def _of_dicom(reading: Reading) -> str:
    if reading.percentile is not None:
        return _by_itself(reading.percentile)
    if reading.dicom_window is None:
        return "read by the window of each file, or the range of its stored bits"
    centre, width = reading.dicom_window
    return f"read by the window of centre {centre:g} and width {width:g}"


def _outside(depths: Depths, reading: Reading) -> list[str]:
    """Of values beyond black and white, and of kinds of pictures that have too little of what is between them."""
    chosen, table = reading.limits or reading.range, depths.table
    if chosen is None or reading.percentile is not None:
        return []
    low, high = chosen
    number = int(((table["low"] < low) | (table["high"] > high)).sum())
    has = "has" if number == 1 else "have"
    told = [f"{number:,} of them {has} values outside, which become black or white."] if number else []
    ends = table[table["low"].notna()].groupby("depth").agg({"low": "min", "high": "max"})
    flat = ends.index[(ends["high"] - ends["low"]) * FEWEST_LEVELS < high - low]
    mend = "convert them to the values of the others, or set data.depth"
    return told + [f"Those of {depth} get fewer than {FEWEST_LEVELS} of 256 grey levels: {mend}." for depth in flat]


def _as_text(limits: Range) -> str:
    return " to ".join(f"{value:,.0f}" if float(value).is_integer() else f"{value:,.4g}" for value in limits)
