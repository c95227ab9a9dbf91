"""Pictures of more than 8 bits: what is read of each kind of file, and the grey levels that are made of it."""

import sys
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from made_depths import exact, ramp, write_lzw, write_png, write_tiff
from made_pictures import encode
from PIL import Image

from lightning_imbal.data.pictures.deep import TRANSPARENT, TURNED, decode_raw
from lightning_imbal.data.pictures.depths import look_for_depths
from lightning_imbal.data.pictures.given import open_picture
from lightning_imbal.data.pictures.grey_levels import AS_FOUND, BY_ITSELF, Reading, levels, reading_of
from lightning_imbal.data.pictures.headers import ONE_PAGE
from lightning_imbal.data.pictures.raw import Raw
from lightning_imbal.data.pictures.read import read_image
from lightning_imbal.errors import BadImageError, UserError

TURNED_BY_90 = Image.Exif()
TURNED_BY_90[0x0112] = 6
KINDS = {
    "png": (write_png, np.uint16),
    "uint16": (write_tiff, np.uint16),
    "int16": (write_tiff, np.int16),
    "uint32": (write_tiff, np.uint32),
    "int32": (write_tiff, np.int32),
    "float32": (write_tiff, np.float32),
    "float64": (write_tiff, np.float64),
    "uint16, deflated": (lambda path, values: write_tiff(path, values, compression=8), np.uint16),
    "float32, deflated": (lambda path, values: write_tiff(path, values, compression=8), np.float32),
    "uint16, LZW": (write_lzw, np.uint16),
    "int32, LZW": (write_lzw, np.int32),
    "float32, LZW": (write_lzw, np.float32),
}


def raw_of(path):
    with open(path, "rb") as file:
        return decode_raw(file.read(), path)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bits", [10, 12, 14, 16])
def test_ramps_of_all_kinds(tmp_path, kind, bits):
    write, dtype = KINDS[kind]
    if dtype == np.int16 and bits == 16:
        pytest.skip("int16 has 15 bits above zero")
    values = ramp(bits, dtype=dtype)
    path = write(tmp_path / f"ramp.{'png' if kind == 'png' else 'tif'}", values)
    assert (raw_of(path).values == values).all()
    for reading in (BY_ITSELF, Reading((0, 2**bits - 1)), Reading(range=(0, 2**bits - 1))):
        image = read_image(path, None, reading)
        assert image.shape == (16, 16, 3) and image.dtype == np.uint8 and image.flags.c_contiguous
        assert np.abs(image[..., 1] - exact(values, 0, 2**bits - 1)).max() <= 0.51
        assert (image[..., 0] == image[..., 2]).all()
    deep = read_image(path, None, Reading((0, 2**bits - 1), bits=16))
    assert deep.dtype == np.uint16
    assert np.abs(deep[..., 0] / 65535 - exact(values, 0, 2**bits - 1) / 255).max() <= 0.51 / 65535


@pytest.mark.parametrize("write, suffix", [(write_png, "png"), (write_tiff, "tif")])
def test_colours_of_16_bits(tmp_path, write, suffix):
    values = np.random.default_rng(0).integers(0, 65536, (12, 10, 3), dtype=np.uint16)
    image = read_image(write(tmp_path / f"rgb.{suffix}", values), None, Reading((0, 65535)))
    assert np.abs(image - exact(values, 0, 65535)).max() <= 0.51


def test_a_reduced_picture_is_the_mean_of_its_levels(tmp_path):
    values = np.random.default_rng(0).integers(0, 4096, (64, 64), dtype=np.uint16)
    image = read_image(write_png(tmp_path / "a.png", values), 16, Reading((0, 4095)))
    means = exact(values, 0, 4095).reshape(16, 4, 16, 4).mean(axis=(1, 3))
    assert image.shape == (16, 16, 3) and np.abs(image[..., 0] - means).max() <= 0.52


@settings(max_examples=40, deadline=None)
@given(arrays(np.uint16, st.tuples(st.integers(1, 9), st.integers(1, 9))), st.integers(0, 65000), st.integers(1, 535))
def test_any_array_comes_back(tmp_path_factory, values, low, width):
    path = tmp_path_factory.mktemp("any") / "a.png"
    write_png(path, values)
    for bits, white in ((8, 255), (16, 65535)):
        image = read_image(path, None, Reading((low, low + width), bits=bits))
        assert np.abs(image[..., 0] - exact(values, low, low + width) / 255 * white).max() <= 0.55


class TestPackedBits:
    @pytest.mark.parametrize("bits", [10, 12, 14])
    def test_values_are_those_that_were_packed(self, tmp_path, bits):
        values = np.arange(0, 2**bits, 2**bits // 16).reshape(1, 16)
        text = "".join(format(value, f"0{bits}b") for value in values[0])
        path = tmp_path / "packed.tif"
        write_tiff(path, values.astype(np.uint16))
        content = path.read_bytes().replace(
            values.astype(np.uint16).tobytes(), int(text, 2).to_bytes(2 * bits) + bytes(32 - 2 * bits)
        )
        path.write_bytes(content.replace(b"\x02\x01\x03\0\x01\0\0\0\x10", b"\x02\x01\x03\0\x01\0\0\0" + bytes([bits])))
        assert (raw_of(path).values == values).all()
        assert look_for_depths([str(path)]).table["depth"][0] == f"{bits} bits"


class TestTiff:
    @pytest.mark.parametrize("dtype", [np.uint16, np.int16, np.float32])
    def test_white_is_zero(self, tmp_path, dtype):
        values = ramp(12, dtype=dtype)
        raw = raw_of(write_tiff(tmp_path / "a.tif", values, photometric=0))
        assert raw.notes == (TURNED,)
        assert (np.diff(raw.values.astype(np.float64).ravel()) == -np.diff(values.astype(np.float64).ravel())).all()
        image = read_image(tmp_path / "a.tif")
        assert np.abs(image[..., 0] - (255 - exact(values, 0, 4095))).max() <= 0.51

    def test_several_pages(self, tmp_path):
        first, second = ramp(12), ramp(12)[::-1]
        raw = raw_of(write_tiff(tmp_path / "a.tif", first, pages=[second]))
        assert (raw.values == first).all() and raw.notes == (ONE_PAGE,)

    def test_several_pages_of_8_bits(self, tmp_path):
        first = ramp(8, dtype=np.uint8)
        path = write_tiff(tmp_path / "a.tif", first, pages=[first[::-1]])
        assert (read_image(path)[..., 0] == first).all()
        assert look_for_depths([path]).table["notes"][0] == ONE_PAGE

    def test_turned(self, tmp_path):
        path = write_tiff(tmp_path / "a.tif", ramp(12, shape=(4, 6)), orientation=6)
        assert (raw_of(path).values == np.rot90(ramp(12, shape=(4, 6)), -1)).all()

    @pytest.mark.parametrize("extra, seen", [(2, 0.25), (1, 1.0)])
    def test_opacity(self, tmp_path, extra, seen):
        values = np.full((4, 4, 4), 40000, np.uint16)
        values[..., 3] = 65535 // 4
        path = write_tiff(tmp_path / "a.tif", values, extra=extra)
        image = read_image(path, None, Reading((0, 65535)))
        assert np.abs(image - 40000 / 257 * seen).max() <= 1

    @pytest.mark.parametrize("values", [np.ones((4, 4), np.complex64), np.ones((4, 4), np.float16)])
    def test_a_kind_that_is_not_read(self, tmp_path, values):
        path = write_tiff(tmp_path / "odd.tif", values)
        with pytest.raises(BadImageError, match=r"odd\.tif is a TIFF of \d+ bits.* which cannot be read: save it"):
            read_image(path)

    @pytest.mark.parametrize("value, said", [(np.nan, "NaN"), (np.inf, "infinite"), (-np.inf, "infinite")])
    def test_a_value_that_is_no_number(self, tmp_path, value, said):
        values = ramp(12, dtype=np.float32)
        values[3, 5] = value
        path = write_tiff(tmp_path / "broken.tif", values)
        with pytest.raises(BadImageError, match=rf"broken\.tif has values that are .*{said}.*: write numbers"):
            read_image(path)

    def test_cut_off(self, tmp_path):
        path = tmp_path / "cut.tif"
        write_tiff(path, ramp(16, shape=(64, 64)), compression=8)
        path.write_bytes(path.read_bytes()[:300])
        with pytest.raises(BadImageError, match=r"cut\.tif"):
            read_image(path)


class TestPng:
    def test_opacity(self, tmp_path):
        values = np.zeros((4, 6, 4), np.uint16)
        values[..., :3], values[:, 3:, 3] = (1000, 2000, 3000), 65535
        path = write_png(tmp_path / "a.png", values)
        raw = raw_of(path)
        assert raw.notes == (TRANSPARENT,) and (raw.values[0, 0] == (1000, 2000, 3000)).all()
        image = read_image(path, None, Reading((0, 4000)))
        assert (image[:, :3] == 0).all() and np.abs(
            image[:, 3:] - exact(np.array([1000, 2000, 3000]), 0, 4000)
        ).max() < 1

    def test_a_transparent_part_is_not_in_the_range(self, tmp_path):
        values = np.full((4, 4, 4), 3000, np.uint16)
        values[0], values[1, 1, :3] = 0, 3500
        values[1:, :, 3] = 65535
        found = look_for_depths([write_png(tmp_path / "a.png", values)], values=True)
        assert found.range == (3000, 3500)

    @pytest.mark.parametrize("mode", ["L", "RGB", "P"])
    def test_one_transparent_value(self, tmp_path, mode):
        pixels = np.array([[10, 20], [20, 30]], np.uint8)
        picture = Image.fromarray(pixels if mode != "RGB" else np.repeat(pixels[..., None], 3, 2))
        if mode == "P":
            picture = picture.convert("RGB").convert("P", palette=Image.Palette.ADAPTIVE, colors=4)
            key = picture.getpixel((1, 0))
        else:
            key = 20 if mode == "L" else (20, 20, 20)
        (tmp_path / "a.png").write_bytes(encode(picture, "PNG", transparency=key))
        assert (read_image(tmp_path / "a.png")[..., 0] == [[10, 0], [0, 30]]).all()

    def test_an_opaque_one_is_as_without_opacity(self, tmp_path):
        rgb = np.random.default_rng(0).integers(0, 256, (40, 30, 3), dtype=np.uint8)
        with_opacity = np.dstack([rgb, np.full((40, 30), 255, np.uint8)])
        one, other = (write_png(tmp_path / f"{i}.png", each) for i, each in enumerate((rgb, with_opacity)))
        assert (read_image(one, 10) == read_image(other, 10)).all()

    def test_turned_by_exif(self, tmp_path):
        rgba = np.random.default_rng(0).integers(0, 256, (4, 6, 4), dtype=np.uint8)
        (tmp_path / "a.png").write_bytes(encode(Image.fromarray(rgba), "PNG", exif=TURNED_BY_90))
        whole = np.rint(rgba[..., :3] * (rgba[..., 3:] / 255))
        assert np.abs(read_image(tmp_path / "a.png") - np.rot90(whole, -1)).max() <= 1

    @pytest.mark.parametrize("lossless", [True, False])
    def test_webp(self, tmp_path, lossless):
        rgba = np.full((16, 16, 4), 200, np.uint8)
        rgba[:8, :, 3], rgba[8:, :, 3] = 0, 255
        (tmp_path / "a.webp").write_bytes(encode(Image.fromarray(rgba), "WEBP", lossless=lossless))
        image = read_image(tmp_path / "a.webp")
        assert (image[:8] == 0).all() and np.abs(image[8:].astype(int) - 200).max() < 4


class TestReading:
    def test_by_hand(self):
        assert levels(np.array([90, 100, 150, 200, 201]), 100, 200).tolist() == [0, 0, 32768, 65535, 65535]

    def test_a_constant_picture_is_black(self, tmp_path):
        path = write_png(tmp_path / "a.png", np.full((4, 4), 700, np.uint16))
        for reading in (BY_ITSELF, Reading(range=(700, 700))):
            assert (read_image(path, None, reading) == 0).all()

    def test_percentiles_of_each_picture(self, tmp_path):
        values = ramp(12)
        values[0, 0] = 60000
        low, high = np.percentile(values, [1, 99])
        image = read_image(write_png(tmp_path / "a.png", values), None, Reading(percentile=(1, 99)))
        assert np.abs(image[..., 0] - exact(values, low, high)).max() <= 0.51

    def test_few_other_pixels_than_one_value(self, tmp_path):
        values = np.full((10, 10), 5, np.uint16)
        values[4, 4] = 9
        image = read_image(write_png(tmp_path / "a.png", values), None, Reading(percentile=(5, 95)))
        assert image[4, 4, 0] == 255 and image[0, 0, 0] == 0

    def test_8_bits_stay_as_they_are(self, tmp_path):
        values = ramp(8, dtype=np.uint8)
        path = write_png(tmp_path / "a.png", values)
        for reading in (AS_FOUND, Reading((0, 4095)), Reading(percentile=(5, 95))):
            assert (read_image(path, None, reading)[..., 0] == values).all()
        assert (read_image(path, None, Reading(bits=16))[..., 0] == values * np.uint16(257)).all()

    def test_no_range_is_known(self, tmp_path):
        path = write_png(tmp_path / "deep.png", ramp(12))
        with pytest.raises(BadImageError, match=r"deep\.png .* data\.depth=\[low, high\]"):
            read_image(path, None, AS_FOUND)

    @pytest.mark.parametrize(
        "depth, window, said",
        [
            ([5, 5], None, "data.depth must be two values that rise"),
            ([5, float("nan")], None, "data.depth must be two numbers"),
            ({"percentile": [99, 1]}, None, "data.depth.percentile must be two that rise from 0 to 100"),
            ({"percentiles": [1, 99]}, None, "can only have percentile"),
            ("auto", [40, 0.5], "data.window has the width 0.5"),
            ("auto", "40", "data.window must be two numbers"),
            ("auto", "lung", "data.window must be two numbers"),
        ],
    )
    def test_settings_that_are_none(self, depth, window, said):
        with pytest.raises(UserError, match=said):
            reading_of(depth, window, 8)

    def test_settings(self):
        assert reading_of([0, 4095], None, 8) == Reading((0, 4095))
        assert reading_of({"percentile": (0.5, 99.5)}, "40,400", 16) == Reading(None, (0.5, 99.5), (40, 400), 16)


class TestDicom:
    @pytest.fixture
    def read(self, monkeypatch):
        """The windows that a stand-in for the reader of DICOM was asked for."""
        asked = []

        def read_dicom(encoded, path, window):
            asked.append(window)
            return Raw(ramp(12, low=-1000, dtype=np.int16), (-1000, 3095), ("its pixel spacing is not used",))

        module = ModuleType("lightning_imbal.data.pictures.dicom")
        module.read_dicom = read_dicom
        monkeypatch.setitem(sys.modules, module.__name__, module)
        return asked

    @pytest.mark.parametrize("name, content", [("a.dcm", b"x"), ("a.bin", bytes(128) + b"DICM")])
    def test_its_own_span(self, tmp_path, read, name, content):
        (tmp_path / name).write_bytes(content)
        image = read_image(tmp_path / name, None, Reading(range=(0, 10)))
        assert np.abs(image[..., 0] - exact(ramp(12), 0, 4095)).max() <= 0.51 and read == [None]

    def test_two_values_are_a_window(self, tmp_path, read):
        (tmp_path / "a.dcm").write_bytes(b"x")
        read_image(tmp_path / "a.dcm", None, Reading((-100, 300)))
        centre, width = read[
            0
        ]  # PS3.3 C.11.2.1.2: black up to c - 0.5 - (w - 1) / 2, white above c - 0.5 + (w - 1) / 2
        assert (centre - 0.5 - (width - 1) / 2, centre - 0.5 + (width - 1) / 2) == (-100, 300)
        read_image(tmp_path / "a.dcm", None, Reading((-100, 300), window=(40, 400)))
        assert read[1] == (40, 400)

    def test_what_is_said_of_it(self, tmp_path, read):
        (tmp_path / "a.dcm").write_bytes(b"x")
        found = look_for_depths([str(tmp_path / "a.dcm")], values=True, dicom=True)
        assert found.range is None and found.table.loc[0, ["depth", "notes"]].tolist() == [
            "DICOM",
            "its pixel spacing is not used",
        ]


class TestGivenPictures:
    def test_arrays(self):
        values = ramp(12)
        for picture in (values, values.astype(np.float64), np.repeat(values[..., None], 3, 2), Image.fromarray(values)):
            image = open_picture(picture, 100, Reading(range=(0, 4095)))
            assert image.shape == (16, 16, 3) and np.abs(image[..., 2] - exact(values, 0, 4095)).max() <= 0.51

    def test_an_array_of_no_known_range(self):
        with pytest.raises(UserError, match=r"type uint16: give uint8.*data\.depth=\[low, high\]"):
            open_picture(ramp(12), 100, AS_FOUND)

    def test_an_array_with_nan(self):
        with pytest.raises(BadImageError, match="NaN"):
            open_picture(np.full((4, 4), np.nan), 100, Reading((0, 1)))

    def test_transparent(self):
        rgba = np.full((4, 4, 4), 100, np.uint8)
        assert np.abs(open_picture(Image.fromarray(rgba), 100) - 100 * 100 / 255).max() <= 0.51
