"""Finds the pictures that show the same photograph: near by their hashes, and confirmed by their pixels."""

import hashlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pandas as pd

from lightning_imbal.data.copies.candidates import alike_pairs, near_pairs, usual_distance
from lightning_imbal.data.copies.likeness import Detail, detail_of, likeness, threshold, turned
from lightning_imbal.data.copies.look import LOW_SIDE, SHORT_SIDE, TURNS, Look, look_at
from lightning_imbal.data.copies.store import Store
from lightning_imbal.data.pictures.ahead import decode_ahead
from lightning_imbal.data.pictures.read import read_image

LEAST_CANDIDATES = 10_000  # looked at in any data set; in one of more pictures, as many as there are pictures
UNRELATED = 300  # pairs that say how like unrelated pictures of a data set are
KEPT = 1024  # pictures whose details wait for their next pair: 130 MB
VERSION = "1"  # of what is kept: another one if the same pictures may now be found otherwise


class Candidates(NamedTuple):
    """Pairs of pictures, not of the same bytes, that may be the same photograph.

    Attributes:
        pairs: Rows of (first, second, bits, turn), see `near_pairs`; pictures by their row in `looks`. Of several of
            the same bytes, the first stands for all.
        likeness: Of each pair (M,).
        threshold: Likeness from which a pair is the same photograph.
        distance: Largest number of bits of the hashes; pairs of `alike_pairs` may have more.
        total: Number of all such pairs, of which `pairs` are the nearest.
    """

    pairs: np.ndarray
    likeness: np.ndarray
    threshold: float
    distance: int
    total: int

    @property
    def confirmed(self) -> np.ndarray:
        """Whether each pair is the same photograph (M,)."""
        return self.likeness >= self.threshold


def same_content(looks: Sequence[Look]) -> np.ndarray:
    """A number per picture, the same for files of the same bytes; empty and unreadable files count as different."""
    return pd.factorize(np.array([look.digest or row for row, look in enumerate(looks)], dtype=object))[0]


def find_candidates(
    looks: Sequence[Look],
    read: Callable[[int], np.ndarray],
    store: Store | None = None,
    distance: int | None = None,
    mirrored: bool = False,
    progress: bool = True,
) -> Candidates:
    """Compares all pictures with each other, once for each content.

    Args:
        looks: What each picture shows.
        read: Returns the picture of a row, uint8 RGB (H, W, 3).
        store: What keeps the answer for the next time.
        distance: Largest number of the 256 bits in which the hashes of candidates differ; None takes `usual_distance`,
            and looks at `alike_pairs` as well.
        mirrored: Whether mirrored and turned copies are looked for as well.
        progress: Whether progress bars are shown.
    """
    first = np.sort(np.unique(same_content(looks), return_index=True)[1])
    rows = np.array([row for row in first if looks[row].hashes is not None], dtype=np.int64)
    digests = b"".join(looks[row].digest or b"" for row in rows)
    key = hashlib.blake2b(digests + f"{VERSION} {distance} {mirrored}".encode(), digest_size=16).digest()
    kept = store.answer(key) if store else None
    if kept is None:
        hashes = np.array([looks[row].hashes for row in rows], dtype=np.uint64).reshape(-1, TURNS, 4)
        low = np.array([looks[row].low for row in rows], dtype=np.float32).reshape(-1, LOW_SIDE, LOW_SIDE)
        found = _compare(hashes, low, lambda i: read(rows[i]), distance, TURNS if mirrored else 1, progress)
        kept = dict(zip(Candidates._fields, map(np.asarray, found), strict=True))
        if store:
            store.keep_answer(key, kept)
    pairs = kept["pairs"].copy()
    pairs[:, :2] = rows[pairs[:, :2]]
    limits = float(kept["threshold"]), int(kept["distance"]), int(kept["total"])
    return Candidates(pairs, kept["likeness"], *limits)


def _compare(
    hashes: np.ndarray,
    low: np.ndarray,
    read: Callable[[int], np.ndarray],
    distance: int | None,
    turns: int,
    progress: bool,
) -> Candidates:
    most, alike = max(LEAST_CANDIDATES, len(hashes)), np.empty((0, 2), dtype=np.int64)
    if distance is None:
        distance = usual_distance(hashes, turns, most, progress) if len(hashes) > 1 else 0
        alike = alike_pairs(low, most // 4, progress)
    pairs, total = near_pairs(hashes, turns, distance, most, progress)
    pairs, total = _with(pairs, alike, hashes[:, 0], total)

    @lru_cache(KEPT)
    def detail(row: int, turn: int) -> Detail:
        return detail_of(turned(read(row), turn))

    def compare(pair: list[int]) -> float:
        first, second, turn = pair
        return likeness(detail(first, 0), detail(second, turn))

    scores = np.array(list(decode_ahead(compare, pairs[:, [0, 1, 3]].tolist(), "Confirming copies", progress)))
    unrelated = _unrelated(hashes[:, 0], distance) if len(pairs) else []
    usual = list(decode_ahead(compare, unrelated, "Comparing unrelated pictures", progress))
    return Candidates(pairs, scores, threshold(usual), distance, total)


def _with(pairs: np.ndarray, alike: np.ndarray, hashes: np.ndarray, total: int) -> tuple[np.ndarray, int]:
    """Adds pairs that are not there yet, and counts them."""
    first, second = alike.T
    bits = np.bitwise_count(hashes[first] ^ hashes[second]).sum(axis=1, dtype=np.int64)
    new = np.stack([first, second, bits, np.zeros_like(first)], axis=1)
    new = new[~np.isin(first * len(hashes) + second, pairs[:, 0] * len(hashes) + pairs[:, 1])]
    both = np.concatenate([pairs, new])
    return both[np.lexsort(both.T[1::-1])], total + len(new)


def _unrelated(hashes: np.ndarray, distance: int) -> list[list[int]]:
    """Pairs of pictures drawn at random, always the same, that are no candidates."""
    drawn = np.random.default_rng(0).integers(0, len(hashes), (UNRELATED, 2))
    first, second = np.unique(np.sort(drawn, axis=1), axis=0).T
    far = np.bitwise_count(hashes[first] ^ hashes[second]).sum(axis=1, dtype=np.int64) > distance
    return [[i, j, 0] for i, j in zip(first[far].tolist(), second[far].tolist(), strict=True)]


def look_at_files(paths: Sequence[str], store: Store | None, progress: bool = True) -> list[Look]:
    """Looks at picture files, with what a store knows of them."""
    return store.looks(paths, progress) if store else list(decode_ahead(look_at, paths, "Hashing pictures", progress))


def read_small(paths: Sequence[str]) -> Callable[[int], np.ndarray]:
    """Reads picture files by their row, at the size at which they are compared."""
    return lambda row: read_image(paths[row], SHORT_SIDE)
