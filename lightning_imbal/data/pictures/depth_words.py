"""Sentences on how deep the pictures of a data set are, and how they are read."""

from collections import Counter

from lightning_imbal.data.pictures.depths import Depths
from lightning_imbal.data.pictures.grey_levels import Range, Reading

MAX_NOTES = 8


def sentences(depths: Depths, reading: Reading) -> list[str]:
    """What there is to say; nothing of pictures that all have 8 bits and are opaque.

    Args:
        depths: Of the pictures.
        reading: How they are read.
    """
    told = []
    table = depths.table
    if table["deep"].any():
        counts = table.groupby(["deep", "depth"], sort=True).size().iloc[::-1].items()
        named = [f"{images:,} {_kind(depth, deep, depths, reading)}" for (deep, depth), images in counts]
        mixed = "Mixed depths: " if len(named) > 1 else ""
        first = named[0].replace(" of ", " pictures of ", 1) if " of " in named[0].split("(")[0] else named[0]
        told.append(f"{mixed}{', '.join([first, *named[1:]])}.")
        told += _outside(depths, reading)
        if reading.bits == 16:
            told.append("All reach the network with 16 bits.")
    notes = Counter(note for text in table["notes"] if text for note in text.split("\n"))
    return [*told, *(f"Of {images:,} pictures {note}." for note, images in notes.most_common(MAX_NOTES))]


def _kind(depth: str, deep: bool, depths: Depths, reading: Reading) -> str:
    """Pictures of one depth, and in brackets what is black and white in them."""
    if not deep:
        return f"of {depth} (as they are)"
    if depth == "DICOM":
        return f"of DICOM ({_of_dicom(reading)})"
    rows = depths.table[depths.table["depth"] == depth]
    limits = _as_text((rows["low"].min(), rows["high"].max())) if rows["low"].notna().any() else ""
    return f"of {depth} ({'; '.join(filter(None, [f'values {limits}' if limits else '', _by(reading, limits)]))})"


def _by(reading: Reading, limits: str) -> str:
    if reading.percentile is not None:
        low, high = reading.percentile
        return f"of each picture by itself, the {low:g}th to the {high:g}th percentile are read as black to white"
    chosen = reading.limits or reading.range
    if chosen is None:
        return "which of them are black and white is not known"
    asked = _as_text(chosen)
    return "read as black to white" if asked == limits else f"{asked} are read as black to white"


def _of_dicom(reading: Reading) -> str:
    if reading.percentile is not None:
        return _by(reading, "")
    if reading.dicom_window is None:
        return "read by the window of each file, or the range of its stored bits"
    centre, width = reading.dicom_window
    return f"read by the window of centre {centre:g} and width {width:g}"


def _outside(depths: Depths, reading: Reading) -> list[str]:
    chosen = reading.limits or reading.range
    if chosen is None or reading.percentile is not None:
        return []
    low, high = chosen
    number = int(((depths.table["low"] < low) | (depths.table["high"] > high)).sum())
    return [f"{number:,} of them have values outside, which become black or white."] if number else []


def _as_text(limits: Range) -> str:
    return " to ".join(f"{value:,.0f}" if float(value).is_integer() else f"{value:,.4g}" for value in limits)
