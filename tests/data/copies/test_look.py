"""Hashes are those of imagehash, in every turn; digests tell files apart."""

import cv2
import imagehash
import numpy as np
import pytest
from PIL import Image

from lightning_imbal.data.copies.likeness import turned
from lightning_imbal.data.copies.look import HASH_SIDE, hashes_of, look_at, look_at_pixels


@pytest.fixture
def picture():
    coarse = np.random.default_rng(0).integers(0, 256, (12, 9, 3), dtype=np.uint8)
    return cv2.resize(coarse, (90, 120), interpolation=cv2.INTER_CUBIC)


@pytest.mark.parametrize("turn", range(8))
def test_hashes_are_those_of_imagehash(picture, turn):
    small = Image.fromarray(turned(picture, turn)).convert("L").resize((64, 64), Image.Resampling.LANCZOS)
    expected = np.packbits(imagehash.phash(small, HASH_SIDE).hash).view(np.uint64)
    differ = np.bitwise_count(hashes_of(picture)[0][turn] ^ expected).sum()
    assert differ == 0 if turn == 0 else differ <= 2  # a turned picture is rounded otherwise


def test_the_turns_are_all_there_are(picture):
    laid = [turned(picture, turn) for turn in range(8)]
    assert (laid[1] == np.rot90(picture)).all() and (laid[4] == picture[:, ::-1]).all()
    assert len({each.tobytes() for each in laid}) == 8


def test_a_file_is_looked_at(picture, tmp_path):
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(tmp_path / name), picture[..., ::-1])
    first, second = (look_at(str(tmp_path / name)) for name in ("a.png", "b.png"))
    assert first.size == "90x120" and first.mode == "RGB" and first.cause is None and first.digest == second.digest
    pixels = look_at_pixels(picture)
    assert (pixels.hashes == first.hashes).all() and pixels.size == first.size
    assert pixels.digest == look_at_pixels(picture.copy()).digest != look_at_pixels(picture + 1).digest


def test_what_is_no_picture_has_a_cause(tmp_path):
    (tmp_path / "empty.png").touch()
    (tmp_path / "broken.png").write_bytes(b"no picture")
    empty, broken, absent = (look_at(str(tmp_path / name)) for name in ("empty.png", "broken.png", "absent.png"))
    assert empty.digest is None and absent.digest is None and broken.digest is not None
    assert all(look.hashes is None and "png" in look.cause for look in (empty, broken, absent))


def test_a_single_colour_has_no_hash():
    assert hashes_of(np.full((30, 40, 3), 7, np.uint8)) == (None, None)
