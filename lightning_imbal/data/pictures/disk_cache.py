"""Decoded, reduced pictures in memory-mapped files: for data sets that are too large to be kept in memory."""

import json
import mmap
import os
import shutil
import zlib
from collections.abc import Iterable, Sequence
from contextlib import closing, nullcontext, suppress
from functools import cached_property
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from filelock import FileLock
from rich import get_console
from rich.progress import track

from lightning_imbal.data.pictures.ahead import decode_ahead
from lightning_imbal.data.pictures.files import ImageFiles
from lightning_imbal.errors import BadImageError, UserError

VERSION = 1
SHARD = 128
MAX_MAPS = 256  # each map holds a file descriptor, of which a process often may have only 1,024
UNKNOWN = (-1, -1)
MEND = "choose another folder with --data.cache_dir"


def cache_folder(base: str | Path, name: str, paths: Sequence[str], short_side: int) -> Path:
    """Returns the folder below `base` that belongs to these files, reduced to this short side."""
    identity = "\0".join([str(short_side), *map(os.path.abspath, paths)])
    return Path(base).expanduser() / f"{name}-{sha256(os.fsencode(identity)).hexdigest()[:12]}"


class _Index(NamedTuple):
    start: np.ndarray  # (N,), first byte of each picture in its shard
    shape: np.ndarray  # (N, 2), height and width
    bad: dict[int, str]


class DiskCache(Sequence[np.ndarray]):
    """Pictures decoded once by `build`, then read from memory maps, which all processes of a machine share.

    The folder holds `shard-00000.bin`, the pixels of 128 pictures one after another, and `shard-00000.json`, which says
    what they are and is written last: its presence means that the shard is whole. A picture is decoded anew if its
    file has changed, but not if it is gone: when a disk is not mounted, nothing that was built is lost.

    Args:
        folder: Where the shards are, see `cache_folder`.
        paths: One file per row of the sample table.
        short_side: Larger pictures are reduced to it, keeping their aspect ratio.
    """

    def __init__(self, folder: str | Path, paths: Sequence[str], short_side: int) -> None:
        self.folder, self.short_side = Path(folder), short_side
        self.paths = [os.path.abspath(path) for path in paths]
        self.maps: dict[int, np.ndarray] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "maps": {}}

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, row: int) -> np.ndarray:
        """Returns a read-only view (H, W, 3).

        Raises:
            BadImageError: The picture could not be decoded when the cache was built.
        """
        row = range(len(self))[row]
        if row in self.bad:
            raise BadImageError(self.bad[row])
        start, (height, width) = self._index.start[row], self._index.shape[row].tolist()
        return self._map(row // SHARD)[start : start + height * width * 3].reshape(height, width, 3)

    def _map(self, shard: int) -> np.ndarray:
        if shard not in self.maps:
            if len(self.maps) >= MAX_MAPS:
                self.maps.pop(next(iter(self.maps)))
            with self._file(shard).open("rb") as file:
                self.maps[shard] = np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), np.uint8)
        return self.maps[shard]

    @property
    def bad(self) -> dict[int, str]:
        """Why a picture could not be decoded, by row; empty if all are good."""
        return self._index.bad

    @property
    def nbytes(self) -> int:
        """Bytes of all pixels on the disk."""
        return int(_areas(self._index.shape).sum())

    @cached_property
    def _index(self) -> _Index:
        index = _Index(np.zeros(len(self), np.int64), np.zeros((len(self), 2), np.int32), {})
        for shard in range(self._shards):
            meta, rows = self._meta(shard), _rows(shard)
            if meta is None:
                raise UserError(f"The image cache {self.folder} is not complete: build it first.")
            areas = _areas(meta["shape"])
            index.start[rows], index.shape[rows] = np.cumsum(areas) - areas, meta["shape"]
            index.bad.update({rows.start + int(position): cause for position, cause in meta["bad"].items()})
        return index

    def build(self, progress: bool = True) -> int:
        """Decodes what is absent or out of date, on all cores. May be killed and repeated at any time.

        Of several processes that build the same cache, one works and the others wait. If nothing is stale, the folder
        is only read.

        Returns:
            The number of pictures decoded.

        Raises:
            UserError: The folder cannot be written, or the disk has too little space.
        """
        decoded = 0
        if self.stale():
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                waiting = get_console().status("Waiting for another process that prepares the images")
                with waiting if progress else nullcontext():
                    lock = FileLock(self.folder / "lock").acquire()
                with lock:
                    decoded = self._fill(progress)
            except OSError as error:
                raise UserError(f"Cannot write the image cache {self.folder} ({error.strerror}): {MEND}.") from error
        self.maps = {}
        vars(self).pop("_index", None)
        return decoded

    def stale(self) -> list[int]:
        """Numbers of the shards that `build` would write: absent, of the wrong length, or of other or changed files."""
        return self._stale(self._sources())

    def _stale(self, sources: np.ndarray) -> list[int]:
        return [shard for shard in range(self._shards) if not self._is_current(shard, sources[_rows(shard)])]

    def verify(self, progress: bool = True) -> list[str]:
        """Reads everything and returns the names of the files that are not as written; delete them and build again."""
        shards = track(range(self._shards), "Checking cached images", transient=True, disable=not progress)
        return [self._file(shard).name for shard in shards if not self._is_intact(shard)]

    @property
    def _shards(self) -> int:
        return -(-len(self) // SHARD)

    def _file(self, shard: int, suffix: str = "bin") -> Path:
        return self.folder / f"shard-{shard:05d}.{suffix}"

    def _identity(self, shard: int) -> dict[str, Any]:
        return {"version": VERSION, "short_side": self.short_side, "path": self.paths[_rows(shard)]}

    def _meta(self, shard: int) -> dict[str, Any] | None:
        """What the json of a shard says; None if it is absent or that of other pictures."""
        try:
            meta = json.loads(self._file(shard, "json").read_bytes())
        except (OSError, ValueError):
            return None
        return meta if self._identity(shard).items() <= meta.items() else None

    def _sources(self) -> np.ndarray:
        """Size and time of change (ns) of every source file, shape (N, 2): one look at each folder is the fastest."""
        wanted, found = set(self.paths), {}
        for folder in {os.path.dirname(path) for path in self.paths}:
            with suppress(OSError), os.scandir(folder) as entries:
                for entry in entries:
                    if entry.path in wanted:
                        with suppress(OSError):  # a link to nowhere
                            found[entry.path] = entry.stat().st_size, entry.stat().st_mtime_ns
        return np.array([found.get(path, UNKNOWN) for path in self.paths], np.int64).reshape(-1, 2)

    def _is_current(self, shard: int, sources: np.ndarray) -> bool:
        meta = self._meta(shard)
        if meta is None or not ((sources == meta["source"]) | (sources == UNKNOWN)).all():
            return False
        with suppress(OSError):
            return self._file(shard).stat().st_size == _areas(meta["shape"]).sum()
        return False

    def _is_intact(self, shard: int) -> bool:
        meta, crc32 = self._meta(shard), 0
        with suppress(OSError), self._file(shard).open("rb") as file:
            while chunk := file.read(2**24):
                crc32 = zlib.crc32(chunk, crc32)
            return meta is not None and crc32 == meta["crc32"]
        return False

    def _fill(self, progress: bool) -> int:
        sources = self._sources()
        stale = self._stale(sources)
        kept = {self._file(i, suffix) for i in set(range(self._shards)).difference(stale) for suffix in ("bin", "json")}
        for file in set(self.folder.glob("shard-*")) - kept:
            file.unlink()
        rows = [row for shard in stale for row in range(len(self))[_rows(shard)]]
        written, done = 0, 0
        with closing(
            decode_ahead(ImageFiles(self.paths, self.short_side).attempt, rows, "Preparing images", progress)
        ) as images:
            for shard in stale:
                source = sources[_rows(shard)].tolist()
                written += self._write(shard, islice(images, len(source)), source)
                done += len(source)
                need, free = written / done * (len(rows) - done), shutil.disk_usage(self.folder).free
                if need > free:
                    raise UserError(
                        f"The decoded images need {need / 1e9:.2f} GB more in {self.folder}, where {free / 1e9:.2f} GB "
                        f"are free: {MEND}, or keep smaller images with --data.short_side."
                    )
        return len(rows)

    def _write(self, shard: int, images: Iterable[np.ndarray | BadImageError], source: list[list[int]]) -> int:
        """Writes a shard and returns the number of its bytes."""
        shape, bad, crc32 = [], {}, 0
        beside = self._file(shard, "bin.part")
        with beside.open("wb") as file:
            for position, image in enumerate(images):
                if isinstance(image, BadImageError):
                    shape.append((0, 0))
                    bad[position] = str(image)
                    if isinstance(image.__cause__, OSError):  # once it may be read, its time of change is the same
                        source[position] = UNKNOWN
                else:
                    shape.append(image.shape[:2])
                    crc32 = zlib.crc32(image, crc32)
                    file.write(image)
            file.flush()
            os.fsync(file.fileno())  # else a power cut may leave the json but not the pixels
        beside.replace(self._file(shard))
        meta = self._identity(shard) | {"source": source, "shape": shape, "crc32": crc32, "bad": bad}
        beside = self._file(shard, "json.part")
        beside.write_text(json.dumps(meta))
        beside.replace(self._file(shard, "json"))
        return int(_areas(shape).sum())


def _rows(shard: int) -> slice:
    return slice(shard * SHARD, (shard + 1) * SHARD)


def _areas(shape: np.ndarray | list) -> np.ndarray:
    """Bytes of pictures of these heights and widths (N, 2)."""
    return np.prod(shape, axis=-1, dtype=np.int64) * 3
