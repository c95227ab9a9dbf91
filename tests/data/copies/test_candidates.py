"""Near pairs are all there are, and the distance suits the data set."""

import tracemalloc
from itertools import combinations

import numpy as np
import pytest

from lightning_imbal.data.copies import candidates, distances
from lightning_imbal.data.copies.candidates import alike_pairs, near_pairs, usual_distance


def made_hashes(number, noise, seed=0):
    """Hashes of 8 turns around a few centres."""
    rng = np.random.default_rng(seed)
    centres = rng.random((6, 256))[rng.integers(0, 6, (number, 8))]
    bits = centres + rng.normal(0, noise, (number, 8, 256)) > 0.5
    return np.packbits(bits, axis=2).view(np.uint64), bits


@pytest.mark.parametrize("turns", [1, 8])
@pytest.mark.parametrize("rows, columns", [(1, 7), (7, 20), (20, 7), (32, 4096)])
def test_near_pairs_equal_a_slow_search(monkeypatch, turns, rows, columns):
    monkeypatch.setattr(distances, "ROWS", rows)
    monkeypatch.setattr(distances, "COLUMNS", columns)
    hashes, bits = made_hashes(50, 0.1)
    expected = []
    for i, j in combinations(range(50), 2):
        differing = [int((bits[i, 0] != bits[j, turn]).sum()) for turn in range(turns)]
        if min(differing) <= 40:
            expected.append([i, j, min(differing), differing.index(min(differing))])
    pairs, total = near_pairs(hashes, turns, 40, 10_000, progress=False)
    assert 50 < total == len(expected) and pairs.tolist() == expected

    nearest, total = near_pairs(hashes, turns, 40, 7, progress=False)
    assert total == len(expected) and len(nearest) == 7
    assert sorted(nearest[:, 2]) == sorted(pair[2] for pair in expected)[:7]


def test_pictures_that_differ_in_all_bits_are_not_near():
    hashes = np.zeros((2, 8, 4), np.uint64)
    hashes[1] = np.uint64(2**64 - 1)
    assert near_pairs(hashes, 1, 60, 10, progress=False)[1] == 0


def test_of_many_alike_the_first_are_kept_in_little_memory():
    rng = np.random.default_rng(0)
    hashes = np.zeros((3000, 8, 4), np.uint64)
    hashes[:, 0, 3] = rng.permutation(np.repeat(np.uint64([1, 3, 7]), 1000))  # 1 or 2 bits from each other
    bits = np.bitwise_count(hashes[:100, None, 0, 3] ^ hashes[None, :, 0, 3])
    same = [[i, j, 0, 0] for i, j in np.argwhere(bits == 0).tolist() if i < j]
    tracemalloc.start()
    pairs, total = near_pairs(hashes, 1, 60, 5000, progress=False)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total == 3000 * 2999 // 2 and len(same) > 5000
    assert pairs.tolist() == same[:5000]
    assert peak < 50e6  # a tenth of all pairs


@pytest.mark.parametrize("number", [0, 1])
def test_fewer_than_two_pictures_have_no_pairs(number):
    pairs, total = near_pairs(np.zeros((number, 8, 4), np.uint64), 8, 60, 10, progress=False)
    assert pairs.shape == (0, 4) and total == 0


def test_the_distance_keeps_the_pairs_few(monkeypatch):
    hashes, bits = made_hashes(60, 0.2)
    differing = sorted(int((bits[i, 0] != bits[j, 0]).sum()) for i, j in combinations(range(60), 2))
    for most in (20, 100):
        usual = usual_distance(hashes, 1, most, progress=False)
        assert candidates.LEAST_DISTANCE < usual < candidates.DISTANCE
        within = np.searchsorted(differing, [usual, usual + 1], side="right")
        assert within[0] <= most < within[1]
    assert usual_distance(hashes, 1, 10_000, progress=False) == candidates.DISTANCE
    assert usual_distance(np.zeros_like(hashes), 1, 10, progress=False) == candidates.LEAST_DISTANCE
    monkeypatch.setattr(candidates, "SAMPLE", 30)
    assert abs(usual_distance(hashes, 1, 100, progress=False) - usual) <= 6


@pytest.mark.parametrize("block", [50_000, 2**22])
def test_alike_pairs_are_seen_from_the_whole_set(monkeypatch, block):
    monkeypatch.setattr(candidates, "BLOCK", block)
    rng = np.random.default_rng(0)
    shared = 50 * rng.normal(size=(8, 8))  # what all pictures show, far stronger than what they differ in
    low = (shared + rng.normal(size=(300, 8, 8)) * np.linspace(5, 0.1, 64).reshape(8, 8)).astype(np.float32)
    low[[7, 290]] = 0.7 * low[[250, 3]]
    low[20] = low[100] + 0.2 * (low[101] - low[100])
    assert alike_pairs(low, 3, progress=False).tolist()[2] == [20, 100]
    assert sorted(alike_pairs(low, 2, progress=False).tolist()) == [[3, 290], [7, 250]]
    assert len(alike_pairs(low, 60, progress=False)) == 60
    assert alike_pairs(low[:100], 3, progress=False).shape == (0, 2)
