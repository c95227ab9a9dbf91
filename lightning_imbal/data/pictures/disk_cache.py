"""Decoded, reduced pictures in memory-mapped files: for data sets that are too large to be kept in memory."""

import os
import shutil
from collections.abc import Sequence
from contextlib import closing
from functools import cached_property
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.progress import track

from lightning_imbal.data.pictures.ahead import decode_ahead
from lightning_imbal.data.pictures.base import Pictures
from lightning_imbal.data.pictures.files import ImageFiles
from lightning_imbal.data.pictures.grey_levels import BY_ITSELF, Reading
from lightning_imbal.data.pictures.lock import wait_for_lock
from lightning_imbal.data.pictures.shard import Shard, checksum, look_at_files, sizes
from lightning_imbal.errors import BadImageError, UserError

SHARD = 128
MAX_MAPS = 256  # each map holds a file descriptor, of which a process often may have only 1,024
MEND = "choose another folder with data.cache_dir=FOLDER"


def cache_folder(base: str | Path, name: str, paths: Sequence[str], short_side: int, depth: str = "") -> Path:
    """Returns the folder below `base` that belongs to these files, reduced to this short side, of this depth."""
    identity = "\0".join([str(short_side), *map(os.path.abspath, paths), *([depth] if depth else [])])
    return Path(base).expanduser() / f"{name}-{sha256(os.fsencode(identity)).hexdigest()[:12]}"


class _Index(NamedTuple):
    start: np.ndarray  # (N,), first byte of each picture in its shard
    shape: np.ndarray  # (N, 2), height and width
    bad: dict[int, str]
    sum: np.ndarray  # (N,), see `checksum`
    checked: np.ndarray  # (N,), whether the picture was found to be right, or has no sum


class DiskCache(Pictures):
    """Pictures decoded once by `build`, then read from memory maps, which all processes of a machine share.

    The folder holds a `Shard` for every 128 pictures. A picture is decoded anew if its file has changed, but not if it
    is gone: when a disk is not mounted, nothing that was built is lost.

    `build` compares the checksum of a shard that was written to since it was built, and decodes its pictures anew if it
    is wrong. What no time of change tells, such as a damaged disk, is noticed when a process first takes a picture.

    Args:
        folder: Where the shards are, see `cache_folder`.
        paths: One file per row of the sample table.
        short_side: Larger pictures are reduced to it, keeping their aspect ratio.
        reading: How deep pictures are read, which the folder must be that of.
    """

    def __init__(self, folder: str | Path, paths: Sequence[str], short_side: int, reading: Reading = BY_ITSELF) -> None:
        self.folder, self.short_side, self.reading = Path(folder), short_side, reading
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
            UserError: The picture is not as it was written.
        """
        row, index = range(len(self))[row], self._index
        if row in index.bad:
            raise BadImageError(index.bad[row])
        start, (height, width) = index.start[row], index.shape[row].tolist()
        pixels = self._map(row // SHARD)[start : start + height * width * 3 * self._value_bytes]
        if not index.checked[row]:
            if checksum(pixels) != index.sum[row]:
                raise UserError(
                    f"The image cache file {self._shard(row // SHARD).file()} is not as it was written: delete it and "
                    "start again, or `prepare`; its pictures are then decoded anew."
                )
            index.checked[row] = True
        return pixels.view(f"u{self._value_bytes}").reshape(height, width, 3)

    @property
    def _value_bytes(self) -> int:
        return self.reading.bits // 8

    def _map(self, shard: int) -> np.ndarray:
        if shard not in self.maps:
            if len(self.maps) >= MAX_MAPS:
                self.maps.pop(next(iter(self.maps)))
            self.maps[shard] = self._shard(shard).map_pixels()
        return self.maps[shard]

    @property
    def bad(self) -> dict[int, str]:
        """Why a picture could not be decoded, by row; empty if all are good."""
        return self._index.bad

    @property
    def nbytes(self) -> int:
        """Bytes of all pixels on the disk."""
        return int(sizes(self._index.shape, self._value_bytes).sum())

    @cached_property
    def _index(self) -> _Index:
        number = len(self)
        start, shape = np.zeros(number, np.int64), np.zeros((number, 2), np.int32)
        index = _Index(start, shape, {}, np.zeros(number, np.uint64), np.zeros(number, bool))
        for shard in self.shards:
            meta, rows = shard.read_meta(), slice(shard.rows.start, shard.rows.stop)
            if meta is None:
                raise UserError(f"The image cache {self.folder} is not complete: build it first.")
            size = sizes(meta["shape"], self._value_bytes)
            index.start[rows], index.shape[rows] = np.cumsum(size) - size, meta["shape"]
            # Without sums it is that of an older program in a place that cannot be written to: `build` has read it all.
            index.sum[rows], index.checked[rows] = meta.get("sum", 0), "sum" not in meta
            index.bad.update({shard.rows[int(position)]: cause for position, cause in meta["bad"].items()})
        return index

    def build(self, progress: bool = True) -> int:
        """Decodes what is absent, out of date or damaged, on all cores. May be killed and repeated at any time.

        Of several processes that build the same cache, one works and the others wait. If nothing is stale, the folder
        is only read.

        Returns:
            The number of pictures decoded.

        Raises:
            UserError: The folder cannot be written, or the disk has too little space.
        """
        decoded = 0
        if self._stale(look_at_files(self.paths), progress):
            try:
                with wait_for_lock(self.folder / "lock", "prepares the images", progress):
                    decoded = self._fill(progress)
            except OSError as error:
                raise UserError(f"Cannot write the image cache {self.folder} ({error.strerror}): {MEND}.") from error
        self.maps = {}
        vars(self).pop("_index", None)
        return decoded

    def stale(self) -> list[int]:
        """Numbers of the shards that `build` would write: absent, not as written, or of other or changed files."""
        return list(self._stale(look_at_files(self.paths), progress=False))

    def _stale(self, sources: np.ndarray, progress: bool) -> dict[int, Shard]:
        states = [(shard, shard.state(sources[shard.rows])) for shard in self.shards]
        touched = [shard for shard, state in states if state == "touched"]
        shown = track(touched, "Checking cached images", transient=True, disable=not (progress and touched))
        damaged = {shard.number for shard in shown if not shard.is_intact()}
        return {shard.number: shard for shard, state in states if state == "stale" or shard.number in damaged}

    def verify(self, progress: bool = True) -> list[str]:
        """Reads everything and returns the names of the files that are not as written; delete them and build again."""
        shards = track(self.shards, "Checking cached images", transient=True, disable=not progress)
        return [shard.file().name for shard in shards if not shard.is_intact()]

    def _shard(self, number: int) -> Shard:
        rows = range(len(self))[number * SHARD : (number + 1) * SHARD]
        return Shard(self.folder, number, rows, self.paths[rows.start : rows.stop], self.short_side, self._value_bytes)

    @property
    def shards(self) -> list[Shard]:
        """What the pictures are kept in."""
        return [self._shard(number) for number in range(-(-len(self) // SHARD))]

    def _fill(self, progress: bool) -> int:
        sources = look_at_files(self.paths)
        stale = self._stale(sources, progress)
        kept = {shard.file(end) for shard in self.shards if shard.number not in stale for end in ("bin", "json")}
        for file in set(self.folder.glob("shard-*")) - kept:
            file.unlink()
        rows = [row for shard in stale.values() for row in shard.rows]
        written, done = 0, 0
        with closing(
            decode_ahead(
                ImageFiles(self.paths, self.short_side, reading=self.reading).attempt,
                rows,
                "Preparing images",
                progress,
            )
        ) as images:
            for shard in stale.values():
                source = sources[shard.rows].tolist()
                written += shard.write(islice(images, len(source)), source)
                done += len(source)
                need, free = written / done * (len(rows) - done), shutil.disk_usage(self.folder).free
                if need > free:
                    raise UserError(
                        f"The decoded images need {need / 1e9:.2f} GB more in {self.folder}, where {free / 1e9:.2f} GB "
                        f"are free: {MEND}, or keep smaller images with data.short_side=PIXELS."
                    )
        return len(rows)
