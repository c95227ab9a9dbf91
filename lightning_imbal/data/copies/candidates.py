"""Pairs of pictures whose perceptual hashes are near each other, of all pairs there are."""

from collections.abc import Iterator

import numpy as np

from lightning_imbal.data.pictures.ahead import decode_ahead

# A picture saved again at half size or as JPEG of quality 30 moves by at most 28 of 256 bits; one cut by 3 % on each
# side by 42 to 55 (median) and at most 76. Unrelated pictures are 92 (fundus) to 126 (skin) bits apart on average.
DISTANCE = 60
LEAST_DISTANCE = 10  # looked at however many there are: a picture saved again is that near
LEAST_WHITENED = 200  # pictures: three for each of the frequencies
LEAST_COSINE = 0.2
BLOCK = 2**18  # pairs compared at once: what fits into the cache of a core
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
    step = max(BLOCK // len(hashes), 1)
    bits = _by_word(hashes)
    count = np.zeros(256, dtype=np.int64)

    def compare(block: np.ndarray) -> np.ndarray:
        distances = [_distances(bits[0], bits[turn], block, slice(None)).ravel() for turn in range(turns)]
        return np.bincount(np.concatenate(distances), minlength=256)

    blocks = [rows[i : i + step] for i in range(0, len(rows), step)]
    for of_block in decode_ahead(compare, blocks, "Measuring distances", progress):
        count += of_block
    count[0] -= len(rows)  # each picture and itself
    pairs = np.cumsum(count) * len(hashes) / len(rows) / 2
    return max(int(np.searchsorted(pairs[: DISTANCE + 1], most, side="right")) - 1, LEAST_DISTANCE)


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
    words = _by_word(hashes)

    def compare(block: np.ndarray) -> np.ndarray:
        found, later = [], slice(int(block[0]) + 1, None)
        for turn in range(turns):
            row, column = np.nonzero(_distances(words[0], words[turn], block, later) <= distance)
            first, second = block[row], column + later.start
            bits = np.bitwise_count(hashes[first, 0] ^ hashes[second, turn]).sum(axis=1, dtype=np.int64)
            pairs = np.stack([first, second, bits, np.full_like(first, turn)], axis=1)
            found.append(pairs[(first < second) & (bits <= distance)])
        return _nearest_turn(np.concatenate(found))

    nearest, total = [np.empty((0, 4), dtype=np.int64)], 0
    for pairs in decode_ahead(compare, list(_blocks(len(hashes), BLOCK)), "Comparing pictures", progress):
        if len(pairs):
            nearest, total = [*nearest, pairs], total + len(pairs)
        if sum(map(len, nearest)) > 2 * most:
            nearest = [_nearest(np.concatenate(nearest), most)]
    pairs = _nearest(np.concatenate(nearest), most)
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
        row, column = np.nonzero(cosine > least)
        first, second = block[row], column + block[0] + 1
        later = first < second
        return np.stack([first, second], axis=1)[later], cosine[row, column][later]

    waiting = [(np.empty((0, 2), dtype=np.int64), np.empty(0, dtype=np.float32))]
    for found in decode_ahead(compare, list(_blocks(len(white), 16 * BLOCK)), "Comparing pictures", progress):
        waiting.append(found)
        if sum(len(values) for _, values in waiting) > 2 * most:
            waiting = [_likest(waiting, most)]
            least = max(LEAST_COSINE, float(waiting[0][1][-1]))
    return _likest(waiting, most)[0]


def _likest(found: list[tuple[np.ndarray, np.ndarray]], most: int) -> tuple[np.ndarray, np.ndarray]:
    pairs, cosines = (np.concatenate(parts) for parts in zip(*found, strict=True))
    likest = np.argsort(-cosines, kind="stable")[:most]
    return pairs[likest], cosines[likest]


def _by_word(hashes: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(hashes.transpose(1, 2, 0))  # (8, 4, N)


def _distances(first: np.ndarray, second: np.ndarray, rows: np.ndarray, columns: slice) -> np.ndarray:
    """Bits in which hashes (4, N) differ, uint8 (rows, columns); 0 where all 256 do."""
    bits = np.bitwise_count(first[0, rows, None] ^ second[0, None, columns])
    for word in (1, 2, 3):
        bits += np.bitwise_count(first[word, rows, None] ^ second[word, None, columns])
    return bits


def _blocks(number: int, pairs: int) -> Iterator[np.ndarray]:
    start = 0
    while start < number - 1:
        stop = min(start + max(pairs // (number - start), 1), number)
        yield np.arange(start, stop)
        start = stop


def _nearest_turn(pairs: np.ndarray) -> np.ndarray:
    pairs = pairs[np.lexsort(pairs.T[[3, 2, 1, 0]])]
    return pairs[np.r_[True, (pairs[1:, :2] != pairs[:-1, :2]).any(axis=1)]] if len(pairs) else pairs


def _nearest(pairs: np.ndarray, most: int) -> np.ndarray:
    return pairs[np.argsort(pairs[:, 2], kind="stable")][:most]
