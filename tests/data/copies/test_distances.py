"""Bits in which hashes differ are exact as far as they are asked for, and tiles hold every pair."""

import numpy as np
import pytest

from lightning_imbal.data.copies import distances
from lightning_imbal.data.copies.distances import near_bits, tiles


@pytest.mark.parametrize("distance", [0, 10, 60, 128, 256])
@pytest.mark.parametrize("share", [0.0, 0.03, 0.2, 0.5, 1.0])
def test_bits_are_exact_up_to_the_distance(distance, share):
    rng = np.random.default_rng(0)
    first = rng.integers(0, 2**64, (4, 9), dtype=np.uint64)
    flips = np.packbits(rng.random((4, 200, 64)) < share, axis=2).view(np.uint64)[..., 0]
    second = first[:, rng.integers(0, 9, 200)] ^ flips
    exact = np.bitwise_count(first[:, :, None] ^ second[:, None]).sum(axis=0, dtype=int)
    bits = near_bits(first, second, distance)
    assert bits.shape == (9, 200)
    assert (bits[exact <= distance] == exact[exact <= distance]).all() and (bits[exact > distance] > distance).all()


def test_few_near_ones_are_counted_alone(monkeypatch):
    monkeypatch.setattr(distances, "DENSE", 1)
    first, second = np.zeros((4, 2), np.uint64), np.zeros((4, 5), np.uint64)
    second[:, 1] = 2**64 - 1
    second[:3, 2] = 7, 7, 1
    bits = near_bits(first, second, 60)
    assert bits[0, [0, 2]].tolist() == [0, 7] and (bits[:, 1] > 60).all()


@pytest.mark.parametrize("number", [0, 1, 31, 33, 70])
def test_tiles_hold_every_pair_once(monkeypatch, number):
    monkeypatch.setattr(distances, "COLUMNS", 40)
    seen = np.zeros((number, number), int)
    for rows, columns in tiles(number):
        for each in columns:
            seen[rows, each] += 1
    assert (seen <= 1).all() and (seen[np.triu_indices(number)] == 1).all()
