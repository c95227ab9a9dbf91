"""Squares cut out of larger pictures, pixel by pixel."""

import pickle

import cv2
import numpy as np
import pytest

from lightning_imbal.data.pictures.cut_outs import KEPT, CutOuts, cut_out
from lightning_imbal.data.pictures.files import ImageFiles
from lightning_imbal.errors import BadImageError

PICTURE = np.random.default_rng(0).integers(0, 256, (24, 40, 3)).astype(np.uint8)


class Counted(list):
    """Pictures that count how often each is taken."""

    def __init__(self, pictures):
        super().__init__(pictures)
        self.taken = np.zeros(len(pictures), int)

    def __getitem__(self, row):
        self.taken[row] += 1
        return super().__getitem__(row)


def by_hand(picture, x, y, side):
    """The square pixel by pixel."""
    outside = np.median(picture[::8, ::8].reshape(-1, 3), axis=0).astype(np.uint8)
    square = np.empty((side, side, 3), np.uint8)
    for row in range(side):
        for column in range(side):
            top, left = y - side // 2 + row, x - side // 2 + column
            inside = 0 <= top < picture.shape[0] and 0 <= left < picture.shape[1]
            square[row, column] = picture[top, left] if inside else outside
    return square


# Inside, at each border and corner, and wider than the picture.
@pytest.mark.parametrize("side", [1, 6, 7, 60])
@pytest.mark.parametrize("x, y", [(20, 12), (0, 0), (39, 23), (2, 12), (38, 12), (20, 1), (20, 22)])
def test_square_is_around_its_point(x, y, side):
    assert (cut_out(PICTURE, x, y, side) == by_hand(PICTURE, x, y, side)).all()


def test_outside_is_the_colour_of_the_field():
    smear = np.full((48, 64, 3), (200, 190, 210), np.uint8)
    cv2.circle(smear, (0, 24), 10, (150, 60, 80), -1)
    square = cut_out(smear, 0, 24, 32)
    assert (square[:, :16] == (200, 190, 210)).all()  # neither black nor the cell a second time
    assert (square[16, 16:24] == (150, 60, 80)).all()


def cut_outs(pictures, source, side=8, short_side=100):
    centre = np.stack([np.arange(len(source)) % 20 + 10, np.full(len(source), 12)], axis=1)
    return CutOuts(pictures, np.asarray(source), centre, side, short_side)


def test_rows_in_order_take_each_picture_once():
    pictures = Counted([PICTURE + number for number in range(KEPT + 4)])
    cells = cut_outs(pictures, np.repeat(np.arange(KEPT + 4), 3))
    for row in range(len(cells)):
        assert (cells[row] == by_hand(PICTURE + row // 3, row % 20 + 10, 12, 8)).all()
    assert len(cells) == 3 * (KEPT + 4) and (pictures.taken == 1).all()
    again = pickle.loads(pickle.dumps(cells))  # as a process of a loader gets it
    assert all((again[row] == cells[row]).all() for row in (0, 20, 50))


def test_who_writes_to_a_square_leaves_the_picture_as_it_is():
    picture = PICTURE.copy()
    cells = cut_outs([picture], [0, 0])
    cells[0][:] = 0
    assert (picture == PICTURE).all() and (cells[0] == by_hand(PICTURE, 10, 12, 8)).all()


@pytest.mark.parametrize("short_side, expected", [(4, 4), (8, 8), (100, 8)])
def test_larger_squares_are_reduced(short_side, expected):
    (cell,) = [cut_outs([PICTURE], [0], short_side=short_side)[0]]
    assert cell.shape == (expected, expected, 3)
    if expected == 4:
        assert abs(cell[0, 0] - by_hand(PICTURE, 10, 12, 8)[:2, :2].mean(axis=(0, 1))).max() <= 0.5


def test_bad_pictures_are_told_of_their_rows(tmp_path):
    files = [tmp_path / f"{number}.png" for number in range(3)]
    for file in files:
        assert cv2.imwrite(str(file), PICTURE)
    files[1].write_bytes(b"no picture")
    cells = cut_outs(ImageFiles([str(file) for file in files]), [0, 1, 1, 2])
    assert [*cells.find_bad([0, 3])] == [] and [*cells.find_bad([0, 2])] == [2]
    assert [*cells.bad] == [1, 2] and "1.png" in cells.bad[1]
    with pytest.raises(BadImageError, match="1.png"):
        cells[1]


def test_pictures_of_a_cache_are_not_opened_again():
    cells = cut_outs([PICTURE], [0])
    cells.remember([0])
    assert cells.find_bad([0]) == {} and cells.bad == {}
