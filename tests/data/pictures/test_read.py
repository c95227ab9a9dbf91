"""Decoding of pictures: sizes, colours, orientation."""

import cv2
import numpy as np
import pytest
from made_pictures import encode, smooth, write
from PIL import Image

from lightning_imbal.data.pictures import fast_jpeg
from lightning_imbal.data.pictures.grey_levels import Reading
from lightning_imbal.data.pictures.read import read_image

RGB = (200, 100, 50)
TURNED = Image.Exif()
TURNED[0x0112] = 6  # the camera was turned by 90 degrees


def difference(image, other):
    return np.abs(image.astype(int) - other.astype(int)).mean()


class TestReadImage:
    @pytest.mark.parametrize(
        "pixel, expected",
        [
            (np.array(RGB[::-1], np.uint8), RGB),
            (np.array([*RGB[::-1], 255], np.uint8), RGB),
            (np.array([*RGB[::-1], 51], np.uint8), (40, 20, 10)),
            (np.array(RGB[::-1], np.uint16) * 257, RGB),
            (np.array([90], np.uint8), (90, 90, 90)),
            (np.array([90], np.uint16) * 257, (90, 90, 90)),
        ],
        ids=["rgb", "rgba", "transparent", "16 bit", "grey", "16 bit grey"],
    )
    @pytest.mark.parametrize("short_side", [None, 3, 9])
    def test_any_png_becomes_uint8_rgb(self, tmp_path, pixel, expected, short_side):
        path = write(tmp_path / "image.png", np.broadcast_to(pixel, (6, 8, len(pixel))).copy())
        image = read_image(path, short_side, Reading((0, 65535)))
        assert image.shape == ((3, 4, 3) if short_side == 3 else (6, 8, 3)) and image.dtype == np.uint8
        assert (image == expected).all()

    @pytest.mark.parametrize("mode, kind", [("P", "PNG"), ("LA", "PNG"), ("CMYK", "JPEG"), ("L", "JPEG")])
    @pytest.mark.parametrize("short_side", [None, 20])
    def test_other_colour_modes(self, tmp_path, mode, kind, short_side):
        picture = Image.fromarray(smooth(60, 80)).convert(mode)
        path = tmp_path / "image.bin"
        path.write_bytes(encode(picture, kind))
        image = read_image(path, short_side)
        expected = np.asarray(picture.convert("RGB"))
        if short_side:
            expected = cv2.resize(expected, (27, 20), interpolation=cv2.INTER_AREA)
        assert image.shape == expected.shape and difference(image, expected) < 3

    def test_path_is_not_ascii(self, tmp_path):
        path = write(tmp_path / "Läsionen 皮膚" / "bösartig.png", np.full((4, 4, 3), 9, np.uint8))
        assert (read_image(str(path)) == 9).all()

    @pytest.mark.parametrize("short_side, shape", [(None, (240, 180, 3)), (20, (27, 20, 3)), (100, (133, 100, 3))])
    def test_exif_orientation_is_followed(self, tmp_path, short_side, shape):
        path = tmp_path / "turned.jpg"
        path.write_bytes(encode(smooth(180, 240), "JPEG", exif=TURNED))
        image = read_image(path, short_side)
        upright = np.rot90(smooth(180, 240), -1).copy()
        expected = cv2.resize(upright, shape[1::-1], interpolation=cv2.INTER_AREA)
        assert image.shape == shape and difference(image, expected) < 3

    @pytest.mark.parametrize("short_side", [20, 30, 64, 75, 150])
    @pytest.mark.parametrize("shape", [(301, 403), (403, 301), (303, 301), (301, 303)])
    @pytest.mark.parametrize("progressive", [False, True])
    def test_reduced_decoding_is_area_averaging(self, tmp_path, short_side, shape, progressive):
        path = tmp_path / "image.jpg"
        path.write_bytes(encode(smooth(*shape), "JPEG", quality=95, progressive=progressive))
        whole = read_image(path)
        scale = short_side / min(shape)
        size = (round(shape[1] * scale), round(shape[0] * scale))
        expected = cv2.resize(whole, size, interpolation=cv2.INTER_AREA)
        image = read_image(path, short_side)
        assert image.shape == expected.shape and min(image.shape[:2]) == short_side
        assert image.dtype == np.uint8 and image.flags.c_contiguous
        assert difference(image, expected) < 2

    @pytest.mark.parametrize("short_side, expected", [(271, 301), (270, 270), (400, 301)])
    def test_a_tenth_too_much_is_left(self, tmp_path, short_side, expected):
        path = tmp_path / "image.jpg"
        path.write_bytes(encode(smooth(301, 403), "JPEG"))
        assert min(read_image(path, short_side).shape[:2]) == expected

    def test_large_jpeg_is_decoded_at_the_smallest_scale_that_suffices(self, tmp_path, monkeypatch):
        path, flags, imdecode = tmp_path / "image.jpg", [], cv2.imdecode
        monkeypatch.setattr(fast_jpeg, "simplejpeg", None)
        path.write_bytes(encode(smooth(320, 400), "JPEG"))
        monkeypatch.setattr(cv2, "imdecode", lambda data, flag: flags.append(flag) or imdecode(data, flag))
        for short_side in (40, 41, 80, 81, 160, 161, 320, 321):
            read_image(path, short_side)
        names = [f"IMREAD_REDUCED_COLOR_{n}" for n in (8, 4, 4, 2, 2)] + 3 * ["IMREAD_COLOR"]
        assert flags == [getattr(cv2, name) for name in names]
