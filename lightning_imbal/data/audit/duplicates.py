"""Finds pictures that are the same file, or nearly the same picture, in different parts of a split."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import imagehash
import numpy as np
import pandas as pd
from PIL import Image

from lightning_imbal.data.pictures.ahead import decode_ahead
from lightning_imbal.data.pictures.read import read_image
from lightning_imbal.data.splits.base import PARTS
from lightning_imbal.data.splits.groups import torn_groups
from lightning_imbal.errors import BadImageError

# A side of 8 (64 bits) cannot tell lesions apart: 40 pairs of different lesions in HAM10000 are within 2 bits, and only
# one of them is really the same picture.
HASH_SIDE = 16
# Measured on the 50 million pairs of HAM10000: all pairs up to 30 of 256 bits show the same lesion in the same view;
# from 32 on most pairs of different lesions only look alike. A picture saved again at half size or as JPEG of quality
# 30 moves by at most 28 bits; one cut by 1 % on each side by 18 (median) to 34.
DISTANCE = 30
SHORT_SIDE = 256  # pictures are read at this size: a large JPEG is then decoded several times faster
MIN_CONTRAST = 4  # grey levels between the darkest and the brightest place; below, a hash only holds noise
MAX_LISTED = 10_000
BLOCK = 2**20  # pairs compared at once: some 20 MB per core


class Look(NamedTuple):
    """What one file shows: its hash (4 uint64; None if unreadable or flat), size, mode and why it cannot be read."""

    hash: np.ndarray | None
    size: str | None
    mode: str | None
    cause: str | None


def look_at(path: str) -> Look:
    """Reads the header of a picture, then hashes its pixels."""
    try:
        with Image.open(path) as picture:
            size, mode = f"{picture.width}x{picture.height}", picture.mode
    except (OSError, ValueError, Image.DecompressionBombError):
        size, mode = None, None
    try:
        pixels = read_image(path, SHORT_SIDE)
    except BadImageError as error:
        return Look(None, size, mode, str(error))
    side = 4 * HASH_SIDE
    small = Image.fromarray(pixels).convert("L").resize((side, side), Image.Resampling.LANCZOS)
    if np.ptp(np.asarray(small)) < MIN_CONTRAST:
        return Look(None, size, mode, None)
    return Look(np.packbits(imagehash.phash(small, HASH_SIDE).hash).view(np.uint64), size, mode, None)


def number_contents(paths: Sequence[str], progress: bool = True) -> np.ndarray:
    """Gives files with the same bytes the same number; empty and unreadable files count as different.

    Returns:
        A number per path. Only files that share their size are read.
    """
    size = pd.Series(list(decode_ahead(_size, paths, "Comparing file sizes", progress)))
    suspects = np.flatnonzero(size.duplicated(keep=False) & (size > 0)).tolist()
    digests = decode_ahead(lambda i: content_digest(paths[i]), suspects, "Comparing files of the same size", progress)
    content = np.array(paths, dtype=object)
    for i, digest in zip(suspects, digests, strict=True):
        content[i] = digest or paths[i]
    return pd.factorize(content)[0]


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def content_digest(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "blake2b").digest()
    except OSError:
        return None


def near_pairs(
    hashes: np.ndarray, part: np.ndarray, content: np.ndarray, group: np.ndarray, distance: int, progress: bool = True
) -> tuple[np.ndarray, int]:
    """Pairs of pictures in different parts that look the same, but are neither the same file nor in the same group.

    Args:
        hashes: Perceptual hashes (N, 4), uint64.
        part: Number of each picture's part (N,).
        content: Number of each file's content (N,).
        group: Number of each picture's group (N,), -1 if unknown.
        distance: Largest number of bits in which the hashes of a pair differ.
        progress: Whether a progress bar is shown.

    Returns:
        The nearest `MAX_LISTED` pairs, rows of (first, second, distance) sorted by distance with the first in the part
        of the higher number; and the number of all pairs.
    """

    def compare(block: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, int]:
        # Half of the bits rule out nearly every pair (99.98 % in HAM10000).
        bits = [np.bitwise_count(hashes[block[0], None, k] ^ hashes[None, block[1], k]) for k in (0, 2)]
        near = np.nonzero(bits[0] + bits[1] <= distance)
        first, second = block[0][near[0]], block[1][near[1]]
        bits = np.bitwise_count(hashes[first] ^ hashes[second]).sum(axis=1, dtype=np.int64)
        same_group = (group[first] == group[second]) & (group[first] >= 0)
        kept = (bits <= distance) & (content[first] != content[second]) & ~same_group
        return _nearest(np.stack([first, second, bits], axis=1)[kept]), int(kept.sum())

    nearest, total = np.empty((0, 3), dtype=np.int64), 0
    for pairs, number in decode_ahead(compare, list(_blocks(part)), "Comparing pictures", progress):
        nearest, total = _nearest(np.concatenate([nearest, pairs])), total + number
    return nearest, total


def _blocks(part: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for low, high in combinations(np.unique(part), 2):
        first, second = np.flatnonzero(part == high), np.flatnonzero(part == low)
        step = max(BLOCK // len(second), 1)
        yield from ((first[i : i + step], second) for i in range(0, len(first), step))


def _nearest(pairs: np.ndarray) -> np.ndarray:
    return pairs[np.argsort(pairs[:, 2], kind="stable")][:MAX_LISTED]


def inspect_pictures(table: pd.DataFrame, distance: int = DISTANCE, progress: bool = True) -> dict[str, Any]:
    """Reads every picture of an audit table once.

    Args:
        table: Columns `image`, `part`, `class`, `group` and `path`.
        distance: Largest number of the 256 bits in which the hashes of near-duplicates differ.
        progress: Whether progress bars are shown.

    Returns:
        `identical_files`, `near_duplicates` (the nearest `MAX_LISTED`), `near_duplicate_pairs` (number of all),
        `flat_images` (number left out of that search, for they show nothing), `images` and `absent_files`, all None if
        no path is known; and `unreadable`.
    """
    absent = int(table["path"].isna().sum())
    table = table[table["path"].notna()].reset_index(drop=True)
    if table.empty:
        names = ("identical_files", "near_duplicates", "near_duplicate_pairs", "flat_images", "images", "absent_files")
        return dict.fromkeys(names) | {"unreadable": []}
    file, paths = pd.factorize(table["path"])
    content = number_contents(paths, progress)[file]
    looks = list(decode_ahead(look_at, paths, "Hashing pictures", progress))
    rows = np.array([row for row, i in enumerate(file) if looks[i].hash is not None], dtype=np.int64)
    hashes = np.array([looks[file[row]].hash for row in rows], dtype=np.uint64).reshape(-1, 4)
    part = table["part"].map(PARTS.index).to_numpy()
    group = pd.factorize(table["group"])[0]
    pairs, total = near_pairs(hashes, part[rows], content[rows], group[rows], distance, progress)
    who = table[["image", "part", "class"]].astype(object)
    who = who.where(who.notna(), None).to_dict("records")
    bad = table["image"][[looks[i].cause is not None for i in file]]
    return {
        "identical_files": _identical(table, file, content),
        "near_duplicates": [
            {"distance": int(bits), "first": who[rows[first]], "second": who[rows[second]]}
            for first, second, bits in pairs
        ],
        "near_duplicate_pairs": total,
        "flat_images": sum(look.hash is None and look.cause is None for look in looks),
        "unreadable": [{"image": image, "cause": looks[file[row]].cause} for row, image in bad.items()],
        "images": _formats(looks),
        "absent_files": absent,
    }


def _identical(table: pd.DataFrame, file: np.ndarray, content: np.ndarray) -> dict[str, Any]:
    rows = table[["image", "part"]].assign(file=file, content=content).groupby("content")
    copied = rows["file"].transform("nunique") > 1
    across = copied & np.isin(content, torn_groups(table["part"], content))
    found = table[["image", "part"]][across].groupby(content[across])
    return {
        "across_parts": [group.to_dict("records") for _, group in found],
        "within_parts": int(np.unique(content[copied & ~across]).size),
    }


def _formats(looks: Sequence[Look]) -> dict[str, Any]:
    sizes = pd.Series([look.size for look in looks], dtype=object).value_counts()
    modes = pd.Series([look.mode for look in looks], dtype=object).value_counts()
    other = int(sizes[20:].sum())
    counts = {"sizes": sizes[:20].to_dict() | ({"other": other} if other else {}), "modes": modes.to_dict()}
    return {name: {key: int(number) for key, number in count.items()} for name, count in counts.items()}
