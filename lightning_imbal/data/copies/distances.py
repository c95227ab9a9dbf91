"""Bits in which perceptual hashes differ, of many pairs at once."""

from collections.abc import Iterator

import numpy as np

ROWS, COLUMNS = 32, 4096  # compared at once: what fits into the cache of a core
DENSE = 16  # if more than one pair of so many is near, all of them are counted at once


def by_word(hashes: np.ndarray) -> np.ndarray:
    """Hashes of each picture's turns (N, 8, 4) as `near_bits` takes them: (8, 4, N)."""
    return np.ascontiguousarray(hashes.transpose(1, 2, 0))


def near_bits(first: np.ndarray, second: np.ndarray, distance: int) -> np.ndarray:
    """Bits in which hashes differ, uint8 or uint16 (R, C): exact up to `distance`, and anything above it beyond.

    The bits of the first two words are counted together, where at least one of the two differs, and the last word not
    at all: of unrelated pictures that is 80 of 128 bits, and one pair in 10,000 is within 60 of them. Only such are
    counted whole.

    Args:
        first: Hashes (4, R), uint64.
        second: Hashes (4, C).
        distance: In bits.
    """
    row = first[:, :, None]
    either = row[0] ^ second[0]
    either |= row[1] ^ second[1]
    bits = np.bitwise_count(either)
    bits += np.bitwise_count(row[2] ^ second[2])
    near = np.flatnonzero(bits <= distance)
    if len(near) > bits.size // DENSE:  # as always from a distance of 128 on: 256 would not fit below
        bits += np.bitwise_count((row[0] ^ second[0]) & (row[1] ^ second[1]))
        return np.add(bits, np.bitwise_count(row[3] ^ second[3]), dtype=np.uint16)
    i, j = np.divmod(near, bits.shape[1])
    bits[i, j] = np.bitwise_count(first[:, i] ^ second[:, j]).sum(axis=0, dtype=np.uint8)
    return bits


def tiles(number: int) -> Iterator[tuple[slice, list[slice]]]:
    """Some rows at a time, and the columns from the first of them on, in turn: every pair of so many pictures once."""
    for start in range(0, number, ROWS):
        yield slice(start, start + ROWS), [slice(at, at + COLUMNS) for at in range(start, number, COLUMNS)]
