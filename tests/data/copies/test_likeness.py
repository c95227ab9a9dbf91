"""A picture is like its copies, and unlike another one of the same instrument."""

import cv2
import numpy as np
import pytest

from lightning_imbal.data.copies.likeness import DEVIATIONS, LEAST, NOTHING, detail_of, likeness, threshold


def photograph(seed, height=200, width=260, field=True):
    """Fine structure on a bright disc before black, as of a fundus camera."""
    coarse = np.random.default_rng(seed).integers(60, 230, (40, 50, 3)).astype(np.uint8)
    picture = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    disc = cv2.circle(np.zeros((height, width, 1), np.uint8), (width // 2, height // 2), int(height * 0.55), 1, -1)
    return picture * disc if field else picture


def cut(picture, share):
    height, width = (round(share * side) for side in picture.shape[:2])
    return picture[height:, width:]


COPIES = {
    "darker": lambda picture: cv2.convertScaleAbs(picture, alpha=0.6, beta=3),
    "smaller": lambda picture: cv2.resize(picture, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA),
    "cut": lambda picture: cut(picture, 0.04),
    "jpeg": lambda picture: cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 40])[1], 1),
}


@pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES)
@pytest.mark.parametrize("field", [True, False], ids=["disc", "whole"])
def test_a_copy_is_like_its_picture(copied, field):
    picture = photograph(0, field=field)
    assert likeness(detail_of(picture), detail_of(np.ascontiguousarray(copied(picture)))) > 0.85


@pytest.mark.parametrize("field", [True, False], ids=["disc", "whole"])
def test_another_picture_of_the_same_instrument_is_not(field):
    details = [detail_of(photograph(seed, field=field)) for seed in range(6)]
    found = [likeness(first, second) for i, first in enumerate(details) for second in details[:i]]
    assert max(found) < 0.3


def test_the_rim_of_the_field_shows_nothing():
    detail = detail_of(photograph(0))
    assert detail.shown[0, 0] == 0 and detail.shown[64, 64] == 1 and 0.2 < detail.shown.mean() < 0.8
    assert (detail.pixels[detail.shown == 0] == 0).all()


def test_what_shows_almost_nothing_is_compared_as_a_whole():
    assert detail_of(np.zeros((50, 50, 3), np.uint8)).shown.all()


def test_a_plain_picture_is_like_nothing():
    plain = detail_of(np.full((50, 50, 3), 90, np.uint8))
    assert likeness(plain, detail_of(photograph(0))) <= 0 and likeness(plain, plain) == NOTHING


def test_another_magnification_is_the_same_view():
    picture = photograph(0, field=False)
    assert likeness(detail_of(picture), detail_of(picture[15:-15, 20:-20])) > 0.8


def test_two_pictures_must_have_something_in_common():
    detail = detail_of(photograph(0, field=False))
    corner = np.zeros_like(detail.shown)
    corner[:30, :30] = 1
    assert likeness(detail, detail) > 0.99 and likeness(detail, detail._replace(shown=corner)) == NOTHING


def test_the_threshold_is_far_above_unrelated_pictures():
    z = np.random.default_rng(0).normal(0.4, 0.1, 5000)
    expected = np.tanh(0.4 + DEVIATIONS * 0.1)
    assert threshold(np.tanh(z)) == pytest.approx(expected, abs=0.02)
    assert threshold([*np.tanh(z), *[1.0] * 50, *[NOTHING] * 2000]) == pytest.approx(expected, abs=0.02)
    assert threshold(np.tanh(z - 0.4)) == threshold([]) == threshold([NOTHING]) == LEAST
