"""Remembers which pictures could be opened, so that the next start only looks at their sizes and times of change."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from lightning_imbal.atomic_files import write_whole
from lightning_imbal.data.pictures.lock import wait_for_lock

LEAST_BYTES = 2**24  # of pictures: fewer are opened again before a file is worth its place
NOT_OPENED = (-2, -2)


def read_opened(record: Path, number: int) -> np.ndarray:
    """Size and time of change, (N, 2), that each picture had when it was opened; `NOT_OPENED` where it was not."""
    try:
        found = np.load(record, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        found = np.empty(0)
    return found if found.shape == (number, 2) else np.full((number, 2), NOT_OPENED)


def write_opened(record: Path, opened: np.ndarray) -> None:
    """Writes what `read_opened` reads, if it may be written: without it, pictures are only opened again."""

    def write(path: Path) -> None:
        with path.open("wb") as file:
            np.save(file, opened)

    try:
        write_whole(record, write)
    except OSError:
        return


def differing(opened: np.ndarray, now: np.ndarray, rows: Sequence[int]) -> list[int]:
    """The rows whose pictures were not opened as they are now."""
    which = np.asarray(rows, dtype=np.int64)
    return which[(opened[which] != now[which]).any(axis=1)].tolist()


@contextmanager
def one_at_a_time(record: Path) -> Iterator[None]:
    """Of several processes that would open the same pictures, one works and the others wait."""
    try:
        lock = wait_for_lock(record.with_suffix(".lock"), "opens the images")
    except OSError:  # a place that cannot be written to
        yield
        return
    with lock:
        yield
