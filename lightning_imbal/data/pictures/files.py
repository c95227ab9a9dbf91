"""Pictures decoded from their files each time they are asked for."""

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from lightning_imbal.data.pictures.ahead import decode_ahead
from lightning_imbal.data.pictures.base import Pictures
from lightning_imbal.data.pictures.grey_levels import BY_ITSELF, Reading
from lightning_imbal.data.pictures.opened import (
    LEAST_BYTES,
    NOT_OPENED,
    differing,
    one_at_a_time,
    read_opened,
    write_opened,
)
from lightning_imbal.data.pictures.read import read_image
from lightning_imbal.data.pictures.shard import look_at_files
from lightning_imbal.errors import BadImageError


class ImageFiles(Pictures):
    """Pictures decoded from their files each time they are asked for.

    Args:
        paths: One file per row of the sample table.
        short_side: Larger pictures are reduced to it, keeping their aspect ratio; None keeps them as they are.
        record: File in which `find_bad` remembers what it could open; None remembers it in this process alone.
        reading: How deep pictures are read.
    """

    def __init__(
        self,
        paths: Sequence[str],
        short_side: int | None = None,
        record: Path | None = None,
        reading: Reading = BY_ITSELF,
    ) -> None:
        self.paths, self.short_side, self.record, self.reading = paths, short_side, record, reading
        self.opened = np.full((len(paths), 2), NOT_OPENED)

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, row: int) -> np.ndarray:
        return read_image(self.paths[row], self.short_side, self.reading)

    def attempt(self, row: int) -> np.ndarray | BadImageError:
        """Returns the picture, or why there is none."""
        try:
            return self[row]
        except BadImageError as error:
            return error

    @cached_property
    def bad(self) -> dict[int, str]:
        """Why a picture cannot be read, by row. Opens all of them when it is first asked for."""
        return self.find_bad(range(len(self)))

    def find_bad(self, rows: Sequence[int]) -> dict[int, str]:
        """Opens pictures that were not opened before as they are now, on all cores.

        Args:
            rows: Which.

        Returns:
            Why a picture cannot be read, by row.
        """
        now = self._look()
        new = differing(self.opened, now, rows)
        if self.record is None or now[new, 0].sum() < LEAST_BYTES:
            return self._open(new, now)
        self.opened = read_opened(self.record, len(self))
        if not differing(self.opened, now, rows):
            return {}
        with one_at_a_time(self.record):
            self.opened = read_opened(self.record, len(self))
            bad = self._open(differing(self.opened, now, rows), now)
            write_opened(self.record, self.opened)
        return bad

    def remember(self, rows: Sequence[int]) -> None:
        """Notes that somebody has opened these pictures, as they are now."""
        now = self._look()
        self.opened[rows] = now[rows]
        if self.record is not None and now[rows, 0].sum() >= LEAST_BYTES:
            write_opened(self.record, self.opened)

    def _look(self) -> np.ndarray:
        return look_at_files([os.path.abspath(path) for path in self.paths])

    def _open(self, rows: Sequence[int], now: np.ndarray) -> dict[int, str]:
        def cause(row: int) -> str | None:
            found = self.attempt(row)
            return str(found) if isinstance(found, BadImageError) else None

        causes = dict(zip(rows, decode_ahead(cause, rows, "Opening images"), strict=True))
        self.opened[rows] = now[rows]
        bad = {row: text for row, text in causes.items() if text is not None}
        self.opened[[*bad]] = NOT_OPENED
        return bad
