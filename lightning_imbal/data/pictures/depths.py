"""How deep the pictures of a data set are, and the range of their values: looked for once, kept beside the cache."""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lightning_imbal.atomic_files import write_whole
from lightning_imbal.data.pictures.ahead import decode_ahead
from lightning_imbal.data.pictures.deep import TRANSPARENT, decode_raw
from lightning_imbal.data.pictures.grey_levels import MEND, Range, Reading
from lightning_imbal.data.pictures.headers import JPEG_SUFFIXES, Header, header_at
from lightning_imbal.data.pictures.opened import LEAST_BYTES, one_at_a_time
from lightning_imbal.data.pictures.read import read_whole
from lightning_imbal.data.pictures.shard import look_at_files
from lightning_imbal.errors import BadImageError, UserError

COLUMNS = {
    **{"size": "int64", "changed": "int64", "depth": "str", "deep": "bool", "transparent": "bool", "looked": "bool"},
    **{"low": "float64", "high": "float64", "notes": "str"},
}
NEW = {"size": -2, "changed": -2, "depth": "8 bits", "low": np.nan, "high": np.nan, "notes": ""}


@dataclass(frozen=True)
class Depths:
    """What is known of the depth of each picture of a data set.

    Args:
        paths: Their files.
        table: A row for each: `depth` in words, whether it is `deep` or may be `transparent`; where it was `looked` at,
            the `notes` on how it is read and, if it is deep and its file does not say what is black and white, its
            `low`est and `high`est value.
    """

    paths: Sequence[str]
    table: pd.DataFrame

    @property
    def range(self) -> Range | None:
        """The smallest and the largest value of the deep pictures whose files do not say what is black and white."""
        low, high = self.table["low"].min(), self.table["high"].max()
        return None if np.isnan(low) else (float(low), float(high))

    @property
    def without_span(self) -> np.ndarray:
        """The rows (K,) of the deep pictures whose files do not say what is black and white."""
        return np.flatnonzero(self.table["deep"] & (self.table["depth"] != "DICOM"))

    def identity(self, reading: Reading) -> str:
        """What decides how these pictures look when decoded; empty if they are opaque and of 8 bits, and stay so."""
        deep, seen_through = self.table["deep"].any(), self.table["notes"].str.contains(TRANSPARENT).any()
        told = [str(reading.settings)] if deep or reading.bits == 16 else []
        return "; ".join([*told, *([TRANSPARENT] if seen_through else [])])

    def refuse_without_range(self, reading: Reading) -> None:
        """Refuses deep pictures for a network that has seen none, and so does not know what is black and white.

        Raises:
            UserError: The message names the first.
        """
        deep = self.without_span
        if reading.lacks_range and len(deep):
            raise UserError(
                f"{len(deep)} of {len(self.paths)} pictures have more than 8 bits, such as {self.paths[deep[0]]} "
                f"({self.table['depth'].iloc[deep[0]]}), and the network was trained on none such: {MEND}."
            )


def look_for_depths(
    paths: Sequence[str],
    record: Path | None = None,
    values: bool = False,
    dicom: bool = False,
    window: tuple[float, float] | None = None,
) -> Depths:
    """Finds how deep pictures are, on all cores: by their headers, and where that is needed by their values.

    Args:
        paths: Their files. Those that end like a JPEG are not opened: they have 8 bits.
        record: File in which what was found is kept until a picture changes; None keeps nothing.
        values: Whether to decode the deep pictures, to find their values.
        dicom: Whether to decode those of DICOM too, to find what there is to say on how they are read.
        window: Of DICOM, for the latter.
    """
    rows = [row for row, path in enumerate(paths) if not path.lower().endswith(JPEG_SUFFIXES)]
    table = pd.DataFrame(
        {name: pd.Series(NEW.get(name, False), range(len(paths)), kind) for name, kind in COLUMNS.items()}
    )
    if not rows:
        return Depths(paths, table)
    now = look_at_files([os.path.abspath(paths[row]) for row in rows])
    kept = record if record is not None and now[:, 0].sum() >= LEAST_BYTES else None
    work = _Work(paths, rows, now, values, dicom, window)
    if kept is None:
        return Depths(paths, work.done(table)[0])
    known = _read(kept, table)
    if not work.is_needed(known):
        return Depths(paths, known)
    with one_at_a_time(kept):
        known, is_new = work.done(_read(kept, table))
        if is_new:
            with suppress(OSError):  # a place that cannot be written to
                write_whole(kept, lambda file: known.to_parquet(file))
    return Depths(paths, known)


def _read(record: Path, table: pd.DataFrame) -> pd.DataFrame:
    """What is kept of these pictures; `table`, which knows nothing, if there is nothing."""
    try:
        found = pd.read_parquet(record)
    except (OSError, ValueError):
        return table
    return found if list(found) == list(table) and len(found) == len(table) else table


@dataclass(frozen=True)
class _Work:
    paths: Sequence[str]
    rows: Sequence[int]  # that are to be opened
    now: np.ndarray  # size and time of change of these
    values: bool
    dicom: bool
    window: tuple[float, float] | None

    def is_needed(self, known: pd.DataFrame) -> bool:
        """Whether there is anything to open."""
        return bool(len(self._changed(known)) or len(self._unseen(known)))

    def done(self, known: pd.DataFrame) -> tuple[pd.DataFrame, bool]:
        """What is known after all has been opened that is needed, and whether that is more than before."""
        known = known.copy()
        changed = self._changed(known)
        headers = list(
            decode_ahead(lambda row: header_at(self.paths[row]), changed, "Reading headers", len(changed) > 999)
        )
        _put(known, changed, headers)
        now = dict(zip(self.rows, self.now.tolist(), strict=True))
        known.loc[changed, ["size", "changed"]] = [now[row] for row in changed]
        unseen = self._unseen(known)
        looks = list(decode_ahead(self._look, unseen, "Finding the range of the values"))
        for row, look in zip(unseen, looks, strict=True):
            if look is not None:
                known.loc[row, ["low", "high", "notes", "looked"]] = [*look, True]
        return known, bool(changed or unseen)

    def _changed(self, known: pd.DataFrame) -> list[int]:
        rows = np.asarray(self.rows)
        return rows[(known[["size", "changed"]].to_numpy()[rows] != self.now).any(axis=1)].tolist()

    def _unseen(self, known: pd.DataFrame) -> list[int]:
        is_dicom = known["depth"] == "DICOM"
        wanted = known["transparent"] | (self.values & known["deep"] & ~is_dicom) | (self.dicom & is_dicom)
        return known.index[wanted & ~known["looked"]].tolist()

    def _look(self, row: int) -> tuple[float, float, str] | None:
        """The ends of the values of a picture, not known if its file says what is black and white, and its notes."""
        try:
            raw = decode_raw(read_whole(self.paths[row]), self.paths[row], self.window)
        except BadImageError:
            return None  # whoever uses the picture says why
        notes = "\n".join(raw.notes)
        seen = raw.values if raw.opacity is None else raw.values[raw.opacity > 0]
        if raw.span is not None or raw.values.dtype == np.uint8 or not seen.size:
            return np.nan, np.nan, notes
        return float(seen.min()), float(seen.max()), notes


def _put(known: pd.DataFrame, rows: list[int], headers: Sequence[Header]) -> None:
    for name in ("depth", "deep", "transparent"):
        known.loc[rows, name] = [getattr(header, name) for header in headers]
    known.loc[rows, "notes"] = ["\n".join(header.notes) for header in headers]
    known.loc[rows, "looked"] = False
    known.loc[rows, ["low", "high"]] = np.nan
