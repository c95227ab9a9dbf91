"""All pairs of hashes within 60 of 256 bits, beside faiss where it is installed, else a matrix product of the bits."""

from collections.abc import Callable

import numpy as np
import torch
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
    bare, bare_run = _bare(hashes[:, 0])
    what = f"near pairs of {number:,} hashes" + (f", {different} different ones" if different else "")
    goal = GOAL * (number / 100_000) ** 2
    return Pair(what, bare, bare_run, lambda: near_pairs(hashes, 1, DISTANCE, number, False), goal, "s", rounds)


def _bare(hashes: np.ndarray) -> tuple[str, Callable[[], object]]:
    packed = np.ascontiguousarray(hashes).view(np.uint8)
    try:
        import faiss
    except ImportError:
        return "one matrix product of the bits", lambda: _product(packed)
    index = faiss.IndexBinaryFlat(256)
    index.add(packed)
    blocks = range(0, len(packed), ROWS)
    return "faiss, binary flat", lambda: [index.range_search(packed[i : i + ROWS], DISTANCE + 1)[0][-1] for i in blocks]


def _product(packed: np.ndarray) -> list[int]:
    signs = torch.from_numpy(np.unpackbits(packed, axis=1).astype(np.float32)) * 2 - 1
    least = 256 - 2 * DISTANCE
    blocks = range(0, len(signs), ROWS)
    return [int((signs[i : i + ROWS] @ signs[i:].T >= least).sum()) for i in blocks]
