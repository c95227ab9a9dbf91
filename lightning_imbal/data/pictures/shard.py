"""One shard of a disk cache: the pixels of some pictures in one file, and beside it what they are."""

import json
import mmap
import os
import zlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from lightning_imbal.atomic_files import write_whole
from lightning_imbal.errors import BadImageError

VERSION = 1
UNKNOWN = (-1, -1)


@dataclass(frozen=True)
class Shard:
    """Two files: `shard-00000.bin`, pixels of pictures one after another, and `shard-00000.json`, what they are.

    The json is written last: its presence means that the shard is whole.

    Args:
        folder: Where both are.
        number: In the cache.
        rows: Which rows of the sample table.
        paths: Source file of each, absolute.
        short_side: Larger pictures are reduced to it.
        value_bytes: Of each value of a pixel: 1, or 2 of pictures of 16 bits.
    """

    folder: Path
    number: int
    rows: range
    paths: Sequence[str]
    short_side: int
    value_bytes: int = 1

    def file(self, suffix: str = "bin") -> Path:
        """One of its two files."""
        return self.folder / f"shard-{self.number:05d}.{suffix}"

    @property
    def identity(self) -> dict[str, Any]:
        """What the json of this shard must say; that of another one says something else."""
        return {"version": VERSION, "short_side": self.short_side, "path": self.paths}

    def read_meta(self) -> dict[str, Any] | None:
        """What the json says; None if it is absent or that of other pictures."""
        try:
            meta = json.loads(self.file("json").read_bytes())
        except (OSError, ValueError):
            return None
        if not isinstance(meta, dict) or not {"source", "shape", "crc32", "bad"} <= meta.keys():
            return None
        return meta if self.identity.items() <= meta.items() else None

    def map_pixels(self) -> np.ndarray:
        """All its bytes, mapped from the disk, read-only."""
        with self.file().open("rb") as file:
            return np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), np.uint8)

    def state(self, sources: np.ndarray) -> Literal["stale", "touched", "good"]:
        """Whether it is there, of the right length, of files as they are now, and not written to since it was checked.

        Args:
            sources: Its files as they are now, see `look_at_files`.
        """
        meta = self.read_meta()
        if meta is None or not ((sources == meta["source"]) | (sources == UNKNOWN)).all():
            return "stale"
        try:
            written = self._written()
        except OSError:
            return "stale"
        if written[0] != sizes(meta["shape"], self.value_bytes).sum():
            return "stale"
        return "good" if meta.get("written") == written else "touched"

    def _written(self) -> list[int]:
        """What any writing changes. A program can set back the time of change, but not the last of these."""
        found = self.file().stat()
        return [found.st_size, found.st_mtime_ns, found.st_ctime_ns]

    def is_intact(self) -> bool:
        """Reads everything: whether it is as it was written. If so, that is noted, unless nothing may be written."""
        meta, sums, crc32 = self.read_meta(), [], 0
        with suppress(OSError), self.file().open("rb") as file:
            for size in sizes(meta["shape"], self.value_bytes).tolist() if meta else []:
                picture = file.read(size)
                crc32 = zlib.crc32(picture, crc32)
                sums.append(checksum(np.frombuffer(picture, np.uint8)))
            if meta is None or file.read(1) or crc32 != meta["crc32"]:
                return False
            with suppress(OSError):
                self._write_meta(meta | {"sum": sums, "written": self._written()})
            return True
        return False

    def write(self, images: Iterable[np.ndarray | BadImageError], source: list[Sequence[int]]) -> int:
        """Writes both files and returns the number of bytes of the pixels.

        Args:
            images: Its pictures, or why one cannot be decoded.
            source: Size and time of change of every source file, see `look_at_files`.
        """
        shape: list[tuple[int, int]] = []
        sums: list[int] = []
        bad: dict[int, str] = {}
        crc32 = 0
        beside = self.file("bin.part")
        with beside.open("wb") as file:
            for position, image in enumerate(images):
                if isinstance(image, BadImageError):
                    shape.append((0, 0))
                    sums.append(0)
                    bad[position] = str(image)
                    if isinstance(image.__cause__, OSError):  # once it may be read, its time of change is the same
                        source[position] = UNKNOWN
                else:
                    height, width = image.shape[:2]
                    shape.append((height, width))
                    sums.append(checksum(image))
                    crc32 = zlib.crc32(image.data, crc32)
                    file.write(image.data)
            file.flush()
            os.fsync(file.fileno())  # else a power cut may leave the json but not the pixels
        beside.replace(self.file())
        found = {"source": source, "shape": shape, "crc32": crc32, "bad": bad, "sum": sums, "written": self._written()}
        self._write_meta(self.identity | found)
        return int(sizes(shape, self.value_bytes).sum())

    def _write_meta(self, meta: dict[str, Any]) -> None:
        write_whole(self.file("json"), lambda file: file.write_text(json.dumps(meta)))


def sizes(shape: np.ndarray | Sequence[tuple[int, int]], value_bytes: int = 1) -> np.ndarray:
    """Bytes of pictures of these heights and widths (N, 2)."""
    return np.prod(shape, axis=-1, dtype=np.int64) * 3 * value_bytes


def checksum(pixels: np.ndarray) -> int:
    """Sum of the 8-byte words of pixels, modulo 2^64: no single changed byte escapes it."""
    pixels = pixels.reshape(-1).view(np.uint8)
    whole = pixels.size // 8 * 8
    return int(pixels[:whole].view(np.uint64).sum()) + int(pixels[whole:].sum()) & 2**64 - 1


def look_at_files(paths: Sequence[str]) -> np.ndarray:
    """Size and time of change (ns) of every file, shape (N, 2): one look at each folder is the fastest."""
    wanted, found = set(paths), {}
    for folder in {os.path.dirname(path) for path in paths}:
        with suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                if entry.path in wanted:
                    with suppress(OSError):  # a link to nowhere
                        found[entry.path] = entry.stat().st_size, entry.stat().st_mtime_ns
    return np.array([found.get(path, UNKNOWN) for path in paths], np.int64).reshape(-1, 2)
