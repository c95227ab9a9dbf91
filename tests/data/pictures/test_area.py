"""Averages are those of OpenCV's INTER_AREA."""

import cv2
import numpy as np
import pytest

from lightning_imbal.data.pictures import area
from lightning_imbal.data.pictures.area import average


@pytest.mark.parametrize("scale", [0.5, 0.6, 0.67, 0.73, 0.9, 0.95])
@pytest.mark.parametrize("shape", [(2, 9), (61, 47), (200, 301), (333, 77), (475, 650)])
def test_averages_are_those_of_opencv(scale, shape):
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    height, width = (max(round(side * scale), 1) for side in shape)
    reduced = average(image, width, height)
    other = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    differ = np.abs(reduced.astype(int) - other)
    assert reduced.flags.c_contiguous and reduced.shape == other.shape and reduced.dtype == np.uint8
    assert differ.max() <= 1 and differ.mean() < 1e-4  # a half is rounded up or down as its last bit is


def test_what_is_averaged_here_and_what_by_opencv(monkeypatch):
    resized, resize = [], cv2.resize
    monkeypatch.setattr(cv2, "resize", lambda image, *args, **kw: resized.append(image) or resize(image, *args, **kw))
    colours = np.full((100, 100, 3), 7, np.uint8)
    assert (average(colours, 80, 80) == 7).all() and (average(colours[::-1, ::-1], 80, 80) == 7).all() and not resized
    others = [(colours, 50), (colours, 60), (colours[..., 0], 80), (colours.astype(np.uint16), 80)]
    for image, side in others:
        assert (average(image, side, side) == 7).all()
    assert len(resized) == len(others)


@pytest.mark.parametrize("number, fewer", [(475, 448), (650, 613), (448, 447), (9, 4), (1000, 501)])
def test_shares_of_every_average_are_one(number, fewer):
    shares = area._shares(number, fewer)
    assert np.allclose(shares.sum(axis=1), 1, atol=3e-3)
    assert np.allclose(shares.sum(axis=0), fewer / number, atol=3e-3)
