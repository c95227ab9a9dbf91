"""Keeps what pictures look like beside the disk caches, so that no picture is read for it a second time."""

import io
import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import TypeVar
from zipfile import BadZipFile

import numpy as np
from lightning.pytorch.utilities import rank_zero_info

from lightning_imbal.data.copies.look import TURNS, Look, look_at
from lightning_imbal.data.pictures.ahead import decode_ahead
from lightning_imbal.data.pictures.opened import one_at_a_time
from lightning_imbal.data.pictures.shard import look_at_files

T = TypeVar("T")

LEAST_PICTURES = 200
FILE = "looks-1.sqlite"  # another number for other columns
TABLES = """
CREATE TABLE IF NOT EXISTS look
    (path BLOB PRIMARY KEY, bytes INTEGER, changed INTEGER, hashes BLOB, low BLOB, size TEXT, mode TEXT, digest BLOB);
CREATE TABLE IF NOT EXISTS answer (number INTEGER PRIMARY KEY, key BLOB UNIQUE, content BLOB);
CREATE TEMP TABLE wanted (row INTEGER PRIMARY KEY, path BLOB, bytes INTEGER, changed INTEGER);
"""
MOST_ANSWERS = 50
AT_ONCE = 2000  # pictures between two writings: no more are lost if a process is killed
PATIENCE = 60  # seconds for which another process may write
SAID: set[Path] = set()  # files that cannot be used


class Store:
    """A SQLite file of looks, by path, size and time of change of a picture, and of answers.

    Several processes may use it at once. One that is damaged is made anew; where none can be written, pictures are read
    each time.

    Args:
        folder: Where the file is.
    """

    def __init__(self, folder: str | Path) -> None:
        self.file = Path(folder).expanduser() / FILE

    def looks(self, paths: Sequence[str], progress: bool = True) -> list[Look]:
        """Looks at picture files, and reads only those that it does not know as they are now."""
        whole = [os.path.abspath(path) for path in paths]
        now = look_at_files(whole)
        found = self._known(whole, now)
        if len(found) < len(paths):
            with one_at_a_time(self.file):
                found = self._known(whole, now)
                new = [row for row in range(len(paths)) if row not in found]
                looks = decode_ahead(lambda row: look_at(paths[row]), new, "Hashing pictures", progress)
                for start in range(0, len(new), AT_ONCE):
                    rows = new[start : start + AT_ONCE]
                    found |= dict(zip(rows, looks, strict=False))
                    self._keep([(whole[row], *now[row].tolist(), found[row]) for row in rows])
        return [found[row] for row in range(len(paths))]

    def answer(self, key: bytes) -> dict[str, np.ndarray] | None:
        """What was kept under this key, or None."""
        found = self._use(lambda base: base.execute("SELECT content FROM answer WHERE key = ?", [key]).fetchone())
        try:
            return dict(np.load(io.BytesIO(found[0]), allow_pickle=False)) if found else None
        except (ValueError, OSError, BadZipFile):  # SQLite does not notice a damaged value
            return None

    def keep_answer(self, key: bytes, content: dict[str, np.ndarray]) -> None:
        """Keeps arrays for later; of many, the latest."""
        stream = io.BytesIO()
        np.savez_compressed(stream, allow_pickle=False, **content)

        def write(base: sqlite3.Connection) -> None:
            base.execute("INSERT OR REPLACE INTO answer (key, content) VALUES (?, ?)", [key, stream.getvalue()])
            base.execute("DELETE FROM answer WHERE number <= (SELECT max(number) FROM answer) - ?", [MOST_ANSWERS])

        self._use(write)

    def _known(self, paths: Sequence[str], now: np.ndarray) -> dict[int, Look]:
        def read(base: sqlite3.Connection) -> dict[int, Look]:
            wanted = ((row, os.fsencode(path), *now[row].tolist()) for row, path in enumerate(paths))
            base.executemany("INSERT INTO wanted VALUES (?, ?, ?, ?)", wanted)
            columns = "wanted.row, look.hashes, look.low, look.size, look.mode, look.digest"
            found = base.execute(f"SELECT {columns} FROM wanted JOIN look USING (path, bytes, changed)")
            return {
                row: Look(_unpacked(hashes, np.uint64), _unpacked(low, np.float32), size, mode, digest, None)
                for row, hashes, low, size, mode, digest in found
            }

        return self._use(read) or {}

    def _keep(self, seen: Sequence[tuple[str, int, int, Look]]) -> None:
        rows = [
            (os.fsencode(path), *stamp, *(None if part is None else part.tobytes() for part in look[:2]), *look[2:5])
            for path, *stamp, look in seen
            if look.cause is None
        ]
        self._use(lambda base: base.executemany("INSERT OR REPLACE INTO look VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows))

    def _use(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        """What is done with the file in one piece; None if it cannot be used."""
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.file, PATIENCE)) as base, base:
                base.executescript(TABLES)
                return work(base)
        except (OSError, sqlite3.OperationalError) as error:
            if self.file not in SAID:
                SAID.add(self.file)
                why = f"What pictures look like cannot be kept in {self.file} ({error})"
                rank_zero_info(f"{why}: they are read again each time.")
        except sqlite3.DatabaseError:
            for left in (self.file, self.file.with_name(f"{FILE}-journal")):
                with suppress(OSError):
                    left.unlink()
        return None


def store_of(paths: Sequence[str], folder: str | Path | None) -> Store | None:
    """The store for these pictures in a folder; None without one, and for so few that they are soon compared again."""
    return None if folder is None or len(paths) < LEAST_PICTURES else Store(folder)


def _unpacked(part: bytes | None, kind: type) -> np.ndarray | None:
    return None if part is None else np.frombuffer(part, kind).reshape(TURNS, -1)
