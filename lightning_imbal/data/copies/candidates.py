"""Pairs of pictures whose perceptual hashes are near each other, of all pairs there are."""

from collections.abc import Iterator
from itertools import product

import numpy as np

from lightning_imbal.data.copies.distances import COLUMNS, ROWS, by_word, near_bits, tiles
from lightning_imbal.data.pictures.ahead import decode_ahead

# A picture saved again at half size or as JPEG of quality 30 moves by at most 28 of 256 bits; one cut by 3 % on each
# side by 42 to 55 (median) and at most 76. Unrelated pictures are 92 (fundus) to 126 (skin) bits apart on average.
DISTANCE = 60
LEAST_DISTANCE = 10  # looked at however many there are: a picture saved again is that near
LEAST_WHITENED = 200  # pictures: three for each of the frequencies
LEAST_COSINE = 0.2
BLOCK = 2**22  # pairs whose frequencies are compared at once
SAMPLE = 2000  # pictures of which all distances are counted


def usual_distance(hashes: np.ndarray, turns: int, most: int, progress: bool = True) -> int:
    """The largest number of bits, up to `DISTANCE`, within which at most about `most` pairs of a data set are.

    In a data set of diverse pictures it is `DISTANCE`; where all of them look alike, it is smaller.

    Args:
        hashes: Perceptual hashes of each picture's turns (N, 8, 4), uint64.
        turns: How many of the turns are compared.
        most: Number of pairs.
        progress: Whether a progress bar is shown.
    """
    rows = np.unique(np.linspace(0, len(hashes) - 1, min(SAMPLE, len(hashes))).astype(int))
    words = by_word(hashes)
    count = np.zeros(DISTANCE + 1, dtype=np.int64)

    def compare(block: np.ndarray) -> np.ndarray:
        counted = np.zeros_like(count)
        for turn, start in product(range(turns), range(0, len(hashes), COLUMNS)):
            bits = near_bits(words[0][:, block], words[turn][:, start : start + COLUMNS], DISTANCE)
            counted += np.bincount(bits[bits <= DISTANCE], minlength=DISTANCE + 1)
        return counted

    blocks = [rows[i : i + ROWS] for i in range(0, len(rows), ROWS)]
    for of_block in decode_ahead(compare, blocks, "Measuring distances", progress):
        count += of_block
    count[0] -= len(rows)  # each picture and itself
    pairs = np.cumsum(count) * len(hashes) / len(rows) / 2
    return max(int(np.searchsorted(pairs, most, side="right")) - 1, LEAST_DISTANCE)


def near_pairs(
    hashes: np.ndarray, turns: int, distance: int, most: int, progress: bool = True
) -> tuple[np.ndarray, int]:
    """Pairs of pictures whose hashes differ in few bits.

    Args:
        hashes: Perceptual hashes of each picture's turns (N, 8, 4), uint64.
        turns: How many of the turns are compared.
        distance: Largest number of bits in which the hashes of a pair differ.
        most: Number of pairs that are kept: the nearest ones.
        progress: Whether a progress bar is shown.

    Returns:
        Rows of (first, second, bits, turn) with first < second, sorted; and the number of all pairs. Of two pictures,
        only the nearest turn counts.
    """
    words, found = by_word(hashes), [np.empty((0, 4), dtype=np.int64)]
    distance = min(distance, 256)
    total, limit = 0, distance  # no pair of more bits than this is among the nearest

    def compare(tile: tuple[slice, list[slice]]) -> tuple[np.ndarray, int]:
        rows, columns = tile
        parts = [_near_in_tile(words, turns, rows, column, distance, limit) for column in columns]
        pairs = np.concatenate([pairs for pairs, _ in parts])
        return _nearest(pairs[np.lexsort(pairs.T[1::-1])], most), sum(number for _, number in parts)

    for pairs, number in decode_ahead(compare, list(tiles(len(hashes))), "Comparing pictures", progress):
        total += number
        if len(pairs):
            found.append(pairs)
        if sum(map(len, found)) > 2 * most:
            found = [_nearest(np.concatenate(found), most)]
            limit = int(found[0][-1, 2]) - 1  # of as many bits, those that were found before are kept
    pairs = _nearest(np.concatenate(found), most)
    return pairs[np.lexsort(pairs.T[1::-1])], total


def alike_pairs(low: np.ndarray, most: int, progress: bool = True) -> np.ndarray:
    """The pairs of pictures whose lowest frequencies are most alike, seen from the whole data set.

    What most pictures share, such as a dark field around a bright disc, is taken out: the frequencies are centred and
    whitened by those of all pictures, and compared by the cosine. Two photographs of one eye are so found among the
    first 900 of 180,000 pairs of the fundus photographs; by their hashes they are among the first 26,000.

    Args:
        low: Lowest frequencies of every picture (N, 8, 8).
        most: Number of pairs.
        progress: Whether a progress bar is shown.

    Returns:
        Rows of (first, second) with first < second; none of so few pictures that nothing can be said of them all.
    """
    if len(low) < LEAST_WHITENED:
        return np.empty((0, 2), dtype=np.int64)
    flat = low.reshape(len(low), -1)[:, 1:].astype(np.float64)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    white = np.linalg.svd(flat - np.mean(flat, axis=0), full_matrices=False)[0].astype(np.float32)
    white /= np.linalg.norm(white, axis=1, keepdims=True)
    least = LEAST_COSINE

    def compare(block: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        cosine = white[block] @ white[block[0] + 1 :].T
        row, column = np.divmod(np.flatnonzero(cosine > least), cosine.shape[1])
        first, second = block[row], column + block[0] + 1
        later = first < second
        return np.stack([first, second], axis=1)[later], cosine[row, column][later]

    waiting = [(np.empty((0, 2), dtype=np.int64), np.empty(0, dtype=np.float32))]
    for found in decode_ahead(compare, list(_blocks(len(white), BLOCK)), "Comparing pictures", progress):
        waiting.append(found)
        if sum(len(values) for _, values in waiting) > 2 * most:
            waiting = [_likest(waiting, most)]
            least = max(LEAST_COSINE, float(waiting[0][1][-1]))
    return _likest(waiting, most)[0]


def _likest(found: list[tuple[np.ndarray, np.ndarray]], most: int) -> tuple[np.ndarray, np.ndarray]:
    pairs, cosines = (np.concatenate(parts) for parts in zip(*found, strict=True))
    likest = np.argsort(-cosines, kind="stable")[:most]
    return pairs[likest], cosines[likest]


def _near_in_tile(
    words: np.ndarray, turns: int, rows: slice, columns: slice, distance: int, limit: int
) -> tuple[np.ndarray, int]:
    """Pairs, as `near_pairs` gives them, that differ in at most `limit` bits, and the number of those in `distance`."""
    first = words[0][:, rows]
    bits, turn = near_bits(first, words[0][:, columns], distance), np.zeros((), np.uint8)
    for other in range(1, turns):
        turned = near_bits(first, words[other][:, columns], distance)
        turn = np.where(turned < bits, np.uint8(other), turn)
        bits = np.minimum(bits, turned)
    if columns.start < rows.stop:  # no picture with itself, and none with an earlier one
        bits[np.tri(bits.shape[0], bits.shape[1], rows.start - columns.start, dtype=bool)] = distance + 1
    number = int(np.count_nonzero(bits <= distance))
    if not number:
        return np.empty((0, 4), dtype=np.int64), 0
    i, j = np.divmod(np.flatnonzero(bits <= limit), bits.shape[1])
    of = np.broadcast_to(turn, bits.shape)[i, j]
    return np.stack([i + rows.start, j + columns.start, bits[i, j], of], axis=1).astype(np.int64), number


def _blocks(number: int, pairs: int) -> Iterator[np.ndarray]:
    start = 0
    while start < number - 1:
        stop = min(start + max(pairs // (number - start), 1), number)
        yield np.arange(start, stop)
        start = stop


def _nearest(pairs: np.ndarray, most: int) -> np.ndarray:
    return pairs[np.argsort(pairs[:, 2], kind="stable")][:most]
