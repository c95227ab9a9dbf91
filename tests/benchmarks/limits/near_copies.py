"""All pairs of hashes within 60 of 256 bits, beside faiss."""

import faiss
import numpy as np
from pairs import Pair

from lightning_imbal.data.copies.candidates import near_pairs
from lightning_imbal.data.copies.look import TURNS

DISTANCE = 60
GOAL = 2.0  # s, of 100,000
ROWS = 512


def pairs() -> list[Pair]:
    """Rows of the table: of unrelated pictures, and of many that are the same, of which only as many are kept."""
    return [_pair(20_000), _pair(100_000, rounds=1), _pair(20_000, different=20)]


def _pair(number: int, different: int | None = None, rounds: int = 5) -> Pair:
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, 2**64, (different or number, TURNS, 4), dtype=np.uint64)
    hashes = drawn if different is None else drawn[rng.integers(0, different, number)]
    what = f"near pairs of {number:,} hashes" + (f", {different} different ones" if different else "")
    goal = GOAL * (number / 100_000) ** 2
    return Pair(
        what,
        "faiss, binary flat",
        lambda: _faiss(hashes[:, 0]),
        lambda: near_pairs(hashes, 1, DISTANCE, number, False),
        goal,
        "s",
        rounds,
    )


def _faiss(hashes: np.ndarray) -> list[int]:
    packed = np.ascontiguousarray(hashes).view(np.uint8)
    index = faiss.IndexBinaryFlat(256)
    index.add(packed)
    # In blocks, or the pairs of pictures that are all the same would not fit into memory.
    return [index.range_search(packed[i : i + ROWS], DISTANCE + 1)[0][-1] for i in range(0, len(packed), ROWS)]
