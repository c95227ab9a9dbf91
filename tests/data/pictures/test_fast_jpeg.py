"""A JPEG has the same pixels whether simplejpeg is installed or not, and what it cannot read is left to OpenCV."""

import io
from types import SimpleNamespace

import numpy as np
import pytest
from made_pictures import encode, smooth
from PIL import Image

from lightning_imbal.data.pictures import fast_jpeg
from lightning_imbal.data.pictures.read import read_image
from lightning_imbal.errors import BadImageError

needs_simplejpeg = pytest.mark.skipif(fast_jpeg.simplejpeg is None, reason="needs simplejpeg, of the extra `fast`")
HEIGHT, WIDTH = 217, 331


def textured():
    noise = np.random.default_rng(0).integers(-20, 21, (HEIGHT, WIDTH, 3))
    return (smooth(HEIGHT, WIDTH) + noise).clip(0, 255).astype(np.uint8)


def turned(orientation):
    exif = Image.Exif()
    exif[fast_jpeg.ORIENTATION] = orientation
    return exif


def jpeg(mode="RGB", **options):
    return encode(Image.fromarray(textured()).convert(mode), "JPEG", **options)


DAMAGED = bytearray(jpeg(quality=90))
DAMAGED[len(DAMAGED) // 2 : len(DAMAGED) // 2 + 40] = b"\xff\xd0" * 20
NO_TIFF = jpeg(exif=b"Exif\0\0" + b"nothing")
# Its orientation is 8 to OpenCV and unknown to Pillow: there is one value, and it says that there are many.
BROKEN_EXIF = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\xb5\0\x08\0\0\0\0\0\0\0"
FILES = {
    "4:2:0": jpeg(quality=90),
    "4:2:2": jpeg(quality=90, subsampling="4:2:2"),
    "4:4:4": jpeg(quality=95, subsampling="4:4:4"),
    "coarse": jpeg(quality=10),
    "grey": jpeg("L"),
    "CMYK": jpeg("CMYK"),
    "not YCbCr": jpeg(keep_rgb=True),
    "progressive": jpeg(progressive=True, quality=85),
    "restart markers": jpeg(restart_marker_blocks=3),
    "more behind it": jpeg() + b"written by the camera",
    "damaged": bytes(DAMAGED),
    "PNG of another name": encode(textured(), "PNG"),
    "broken EXIF": jpeg(exif=b"Exif\0\0" + BROKEN_EXIF),
    "EXIF that is none": NO_TIFF,
    **{f"orientation {n}": jpeg(exif=turned(n)) for n in range(1, 9)},
}


@needs_simplejpeg
@pytest.mark.parametrize("short_side", [None, 100, 40, 20])
@pytest.mark.parametrize("kind", FILES)
def test_pixels_are_those_of_opencv(tmp_path, monkeypatch, kind, short_side):
    path = tmp_path / "image.jpg"
    path.write_bytes(FILES[kind])
    image = read_image(path, short_side)
    monkeypatch.setattr(fast_jpeg, "simplejpeg", None)
    assert np.array_equal(image, read_image(path, short_side))


@needs_simplejpeg
@pytest.mark.parametrize("kind", ["4:2:0", "grey", "progressive", "orientation 1"])
@pytest.mark.parametrize("reduction", [1, 2, 4, 8])
def test_the_usual_ones_are_decoded(kind, reduction):
    image = fast_jpeg.decode(FILES[kind], Image.open(io.BytesIO(FILES[kind])), reduction)
    assert image.shape == (-(-HEIGHT // reduction), -(-WIDTH // reduction), 3) and image.dtype == np.uint8


@pytest.mark.parametrize("kind", ["CMYK", "damaged", "broken EXIF", "EXIF that is none", "orientation 6"])
def test_others_are_left_to_opencv(kind, monkeypatch):
    def refuse(*_, **__):
        assert kind == "damaged"
        raise ValueError

    monkeypatch.setattr(fast_jpeg, "simplejpeg", SimpleNamespace(decode_jpeg=refuse))
    assert fast_jpeg.decode(FILES[kind], Image.open(io.BytesIO(FILES[kind])), 1) is None


@pytest.mark.parametrize("left", [0.3, 0.9])
def test_a_truncated_one_is_refused(tmp_path, left):
    path = tmp_path / "image.jpg"
    path.write_bytes(FILES["4:2:0"][: int(len(FILES["4:2:0"]) * left)])
    with pytest.raises(BadImageError, match=r"image\.jpg is truncated or damaged"):
        read_image(path, 40)


def test_nothing_is_decoded_where_it_is_not_installed(monkeypatch):
    monkeypatch.setattr(fast_jpeg, "simplejpeg", None)
    assert fast_jpeg.decode(FILES["4:2:0"], Image.open(io.BytesIO(FILES["4:2:0"])), 1) is None
