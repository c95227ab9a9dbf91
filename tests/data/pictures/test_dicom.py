"""DICOM files: exact values, black and white by the standard's formulas, one sentence for what is no picture."""

import logging
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pydicom")
pytest.importorskip("openjpeg")
pytest.importorskip("jpeg_ls")
import pydicom
from made_dicom import KINDS, made_dicom, ramp
from pydicom.data import get_testdata_file
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.pixels import apply_modality_lut, apply_voi_lut
from pydicom.uid import JPEG2000, MPEG2MPML, ComprehensiveSRStorage

from lightning_imbal.data.pictures.dicom import (
    OF_ASPECT,
    OF_DARKNESS,
    OF_NO_WINDOW,
    OF_PADDING,
    OF_SPACING,
    OF_WINDOWS,
    read_dicom,
)
from lightning_imbal.errors import BadImageError, UserError


def shown(raw):
    """From 0, black, to 1, white."""
    low, high = raw.span
    return np.clip((raw.values.astype(np.float64) - low) / (high - low), 0, 1)


def read(pixels, bits=None, window=None, **elements):
    return read_dicom(made_dicom(pixels, bits, **elements), "a.dcm", window)


def table(entries, bits, first=0, **elements):
    item = Dataset()
    item.LUTDescriptor = [len(entries), first, bits]
    item.add(DataElement(0x00283006, "OW", np.asarray(entries, "<u2").tobytes()))
    item.update(elements)
    return [item]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_ramps_come_in_as_they_are(bits, kind):
    for signed in (False, True):
        pixels = ramp(bits, signed)
        raw = read(pixels, bits, kind=kind)
        assert np.array_equal(raw.values, pixels) and raw.notes == ()
        assert raw.span == ((-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1))
        # Whoever finds 8 bits takes them as they are.
        assert (raw.values.dtype == np.uint8) == (bits == 8 and not signed)


def test_fewer_bits_than_a_byte_are_not_taken_for_a_byte():
    raw = read(np.full((4, 4), 63, np.uint8), 6)
    assert raw.values.dtype != np.uint8 and raw.span == (0, 63)


@pytest.mark.parametrize("kind", ["explicit", "big", "rle"])
def test_unused_bits_are_not_read(kind):
    pixels = ramp(12)
    assert np.array_equal(read(pixels | 0xA000, 12, kind=kind).values, pixels)
    signed = ramp(12, signed=True)
    assert np.array_equal(read((signed & 0x0FFF) | 0x5000, 12, kind=kind).values, signed)


def test_values_in_the_upper_bits_are_moved_down():
    pixels = ramp(12)
    assert np.array_equal(read((pixels << 4) | 5, 12, HighBit=15).values, pixels)


@pytest.mark.parametrize(("slope", "intercept"), [(1, -1024), (2.5, 0.25), (-3, 7)])
@pytest.mark.parametrize("signed", [False, True])
def test_rescaled(slope, intercept, signed):
    pixels = ramp(12, signed)
    raw = read(pixels, 12, RescaleSlope=slope, RescaleIntercept=intercept)
    assert np.allclose(raw.values, pixels * float(slope) + intercept, rtol=1e-7)
    ends = [float(end) * slope + intercept for end in (pixels.min(), pixels.max())]
    assert raw.span == (min(ends), max(ends))


def test_table_in_place_of_slope_and_intercept():
    pixels = np.array([[0, 9, 10, 11, 13, 200]], np.uint8)
    raw = read(pixels, ModalityLUTSequence=table([5, 900, 30, 4095], 12, first=10))
    assert raw.values.tolist() == [[5, 5, 5, 900, 4095, 4095]] and raw.span == (0, 4095)


# PS3.3 C.11.2.1.2.1, its example: 0 to 4095 with these centres and widths.
@pytest.mark.parametrize(
    ("centre", "width", "x", "y"),
    [
        *((2048, 4096, 0, 0), (2048, 4096, 4095, 1), (2048, 4096, 2048, 2048 / 4095), (2048, 1, 2047, 0)),
        *((2048, 1, 2048, 1), (0, 100, 49, 1), (0, 100, -50, 0), (0, 100, 0, 50 / 99), (100, 3, 99, 0.25)),
        *((100, 3, 100, 0.75), (100, 3, 101, 1), (100, 2, 99, 0), (100, 2, 100, 1)),
    ],
)
def test_a_linear_window(centre, width, x, y):
    given = read(np.array([[x]], np.int16), window=(centre, width))
    own = read(np.array([[x]], np.int16), WindowCenter=centre, WindowWidth=width)
    assert shown(given).item() == pytest.approx(y, abs=1e-6) and shown(own).item() == shown(given).item()


def test_windows_of_other_functions():
    pixels = np.array([[0, 75, 100, 125, 200]], np.uint8)
    settings = {"WindowCenter": 100, "WindowWidth": 100}
    exact = read(pixels, VOILUTFunction="LINEAR_EXACT", **settings)
    assert shown(exact).tolist() == [[0, 0.25, 0.5, 0.75, 1]]
    sigmoid = read(pixels, VOILUTFunction="SIGMOID", **settings)
    assert np.allclose(shown(sigmoid), 1 / (1 + np.exp(-4 * (pixels - 100.0) / 100)))


def test_which_window():
    pixels, own = ramp(12), {"WindowCenter": [100, 3000], "WindowWidth": [50, 70]}
    first = read(pixels, 12, **own)
    assert first.span == (75, 124) and first.notes == (OF_WINDOWS,)
    assert read(pixels, 12, window=(3000, 71), **own)[1:] == ((2964.5, 3034.5), ())
    rescaled = read(pixels, 12, RescaleSlope=2, RescaleIntercept=-1024, WindowCenter=40, WindowWidth=400)
    assert rescaled.span == (-160, 239) and rescaled.values.min() == -1024
    without = read(pixels, 12, WindowCenter=40, WindowWidth=0)
    assert without.span == (0, 4095) and without.notes == (OF_NO_WINDOW,)
    with pytest.raises(UserError, match=r"data.window has the width 0.5: give .* at least 1"):
        read(pixels, 12, window=(3, 0.5))


def test_table_before_window():
    pixels = np.array([[-4, -3, -2, -1, 0]], np.int16)
    elements = {"VOILUTSequence": table([0, 7, 250, 255], 8, first=-4), "WindowCenter": 0, "WindowWidth": 9}
    raw = read(pixels, **elements)
    assert raw.values.tolist() == [[0, 7, 250, 255, 255]] and raw.span == (0, 255)
    assert read(pixels, window=(0, 9), **elements).span == (-4.5, 3.5)
    # Of a CT whose stored values are unsigned, the first entry is written so, too.
    air = read(
        np.array([[0, 1024]], np.uint16),
        RescaleSlope=1,
        RescaleIntercept=-1024,
        VOILUTSequence=table([10, 20], 8, first=65536 - 1),
    )
    assert air.values.tolist() == [[10, 20]]


@pytest.mark.parametrize(
    ("mono2", "mono1"),
    [
        ({}, {}),
        ({"WindowCenter": 1000, "WindowWidth": 500}, {"WindowCenter": 4095 - 1000 + 1, "WindowWidth": 500}),
        (
            {"RescaleSlope": 1, "RescaleIntercept": -1024, "WindowCenter": 40, "WindowWidth": 401},
            {"RescaleSlope": 1, "RescaleIntercept": -1024, "WindowCenter": 4095 - 2048 - 39, "WindowWidth": 401},
        ),
        (
            {"WindowCenter": 1000, "WindowWidth": 500, "VOILUTFunction": "SIGMOID"},
            {"WindowCenter": 4095 - 1000, "WindowWidth": 500, "VOILUTFunction": "SIGMOID"},
        ),
    ],
)
def test_monochrome1_is_the_same_scene(mono2, mono1):
    scene = ramp(12)
    one = read(4095 - scene, 12, form="MONOCHROME1", **mono1)
    two = read(scene, 12, **mono2)
    assert np.array_equal(shown(one), shown(two)) if "VOILUTFunction" not in mono2 else True
    assert np.allclose(shown(one), shown(two), atol=1e-7)
    assert len(np.unique(shown(one))) > 10


def test_monochrome1_of_all_bits_and_signs():
    for bits in (8, 16):
        for signed in (False, True):
            scene = ramp(bits, signed)
            one = read(~scene if signed else scene.max() - scene, bits, form="MONOCHROME1")
            assert np.array_equal(one.values, scene) and one.span == read(scene, bits).span


def test_padding_is_black():
    scene = np.array([[100, 0, 3000, 4095, 4094]], np.uint16)
    raw = read(scene, 12, PixelPaddingValue=4095)
    assert shown(raw)[0, 3] == 0 and shown(raw)[0, 4] == 4094 / 4095 and OF_PADDING in raw.notes
    several = read(scene, 12, PixelPaddingValue=4095, PixelPaddingRangeLimit=3000, form="MONOCHROME1")
    assert (shown(several)[0, 2:] == 0).all() and shown(several)[0, 1] == 1
    ct = np.array([[-2000, -1000, 500]], np.int16)
    unsigned = read(ct, WindowCenter=40, WindowWidth=400, PixelPaddingValue=-2000, form="MONOCHROME1")
    assert shown(unsigned).tolist() == [[0, 1, 0]] and OF_PADDING in unsigned.notes
    assert OF_PADDING not in read(scene, 12, PixelPaddingValue=7).notes


def test_what_is_said_of_geometry_and_darkness():
    assert read(ramp(8), PixelSpacing=[0.5, 0.5]).notes == (OF_SPACING,)
    assert read(ramp(8), PixelSpacing=[0.5, 0.6]).notes == (OF_ASPECT,)
    assert read(ramp(8), ImagerPixelSpacing=[0.1, 0.1]).notes == (OF_SPACING,)
    assert read(ramp(8), PixelAspectRatio=[2, 1]).notes == (OF_ASPECT,)
    assert read(ramp(11), 16).notes == (OF_DARKNESS,)
    assert read(ramp(11), 16, window=(1024, 2048)).notes == ()


def test_colours():
    rng = np.random.default_rng(0)
    colours = rng.integers(0, 256, (32, 40, 3), dtype=np.uint8)
    assert np.array_equal(read(colours, form="RGB").values, colours)
    planes = made_dicom(np.moveaxis(colours, 2, 0).reshape(32, 40, 3), form="RGB", PlanarConfiguration=1)
    assert np.array_equal(read_dicom(planes, "a.dcm", (1, 2)).values, colours)
    # PS3.3 C.7.6.3.1.2: red is Y 76, Cb 85, Cr 255.
    red = read(np.full((2, 2, 3), [76, 85, 255], np.uint8), form="YBR_FULL").values
    assert np.abs(red.astype(int) - [254, 0, 0]).max() <= 1
    deep = read((colours.astype(np.uint16) << 4), 12, form="RGB")
    assert deep.span == (0, 4095) and np.array_equal(deep.values, colours.astype(int) << 4)
    jpeg2000 = read(colours, form="RGB", kind="jpeg2000")
    assert np.array_equal(jpeg2000.values, colours) and jpeg2000.span == (0, 255)


@pytest.mark.parametrize("bits", [8, 16])
def test_palette(bits):
    lut = np.random.default_rng(0).integers(0, 2**bits, (3, 4)).astype(f"<u{bits // 8}")
    named = zip(("Red", "Green", "Blue"), lut, strict=True)
    elements = {f"{name}PaletteColorLookupTableData": entries.tobytes() for name, entries in named}
    elements |= {f"{name}PaletteColorLookupTableDescriptor": [4, 0, bits] for name in ("Red", "Green", "Blue")}
    pixels = np.array([[0, 1, 2, 3, 3, 9]], np.uint8)
    raw = read(pixels, form="PALETTE COLOR", **elements)
    assert np.array_equal(raw.values, lut.T[np.minimum(pixels, 3)]) and raw.span == (0, 2**bits - 1)


# The same coloured bars, by several programs: JPEG in all its colour spaces, planes, words and big endian.
BARS = [
    *("gdcm_KY", "jpeg_gdcm", "rle_16bit", "rle_32bit", "dcmtk_+eb+cr", "dcmtk_+eb+cy+n1", "dcmtk_+eb+cy+np"),
    *("dcmtk_+eb+cy+n2", "dcmtk_+eb+cy+s2", "dcmtk_+eb+cy+s4", "jpeg_dcmtk", "jls_lossy_line", "jls_lossy_sample"),
]


@pytest.mark.parametrize("name", BARS)
def test_colours_of_others(name):
    plain, other = (Path(get_testdata_file(f"SC_rgb_{each}.dcm", download=False)) for each in ("rle", name))
    exact, found = (shown(read_dicom(file.read_bytes(), file)) for file in (plain, other))
    assert found.shape == (100, 100, 3) and np.abs(exact - found).mean() < 3 / 255


def test_an_enhanced_file_of_one_frame():
    value, voi, groups = Dataset(), Dataset(), Dataset()
    value.RescaleSlope, value.RescaleIntercept = 2, -100
    voi.WindowCenter, voi.WindowWidth = 300, 101
    groups.PixelValueTransformationSequence, groups.FrameVOILUTSequence = [value], [voi]
    found = read(ramp(12), 12, SharedFunctionalGroupsSequence=[groups], NumberOfFrames=1)
    assert found.span == (249.5, 349.5) and found.values.max() == 2 * 4095 - 100


def test_pixels_of_decimals_say_nothing_of_black_and_white():
    values = np.array([[-1.5, 0.25], [7, 1e5]], np.float32)
    elements = dict.fromkeys(("PixelData", "BitsStored", "HighBit", "PixelRepresentation"))
    elements |= {"BitsAllocated": 32, "FloatPixelData": values.tobytes()}
    raw = read(np.zeros((2, 2), np.uint8), **elements)
    assert raw.span is None and np.array_equal(raw.values, values)
    assert read(np.zeros((2, 2), np.uint8), window=(2, 4), **elements).span == (0, 3)


OF_OTHERS = [
    *("MR_small.dcm", "CT_small.dcm", "693_J2KI.dcm", "J2K_pixelrep_mismatch.dcm", "MR_small_jpeg_ls_lossless.dcm"),
    *("MR_small_jp2klossless.dcm", "MR_small_RLE.dcm", "MR_small_bigendian.dcm", "examples_overlay.dcm"),
    *("image_dfl.dcm", "liver_1frame.dcm", "JPGExtended.dcm"),
]


@pytest.mark.parametrize("name", OF_OTHERS)
def test_files_of_others_show_what_pydicom_shows(name):
    file = get_testdata_file(name, download=False)
    raw = read_dicom(Path(file).read_bytes(), name)
    dataset = pydicom.dcmread(file)
    pixels, first = dataset.pixel_array, float(dataset.get("PixelPaddingValue", 1e9))
    rescaled = apply_modality_lut(pixels, dataset)
    by_pydicom = apply_voi_lut(rescaled, dataset)
    bits, signed = dataset.BitsStored, dataset.PixelRepresentation
    ends = np.array([-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] if signed else [0, 2**bits - 1], np.int64)
    low, high = apply_modality_lut(ends, dataset)
    expected = np.clip((by_pydicom - low) / (high - low), 0, 1)
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        expected = 1 - expected
    known = pixels != first
    assert np.allclose(shown(raw)[known], expected[known], atol=1e-6) and known.any()


REFUSED = [
    ({"NumberOfFrames": 3}, "has 3 frames: save those that are wanted as single pictures"),
    ({"Rows": None}, "has no Rows, without which its pixels have no meaning"),
    ({"BitsStored": None, "HighBit": None}, "has no BitsStored, "),
    ({"Rows": 65535, "Columns": 65535}, "claims 65535x65535 pixels: copy it again"),
    ({"Rows": 0}, "Cannot decode the DICOM file .*Rows.*: copy it again, or remove it"),
    ({"PixelData": None}, "ends before its pixels, it is truncated: copy it again"),
    ({"PhotometricInterpretation": "HSV", "SamplesPerPixel": 3, "PlanarConfiguration": 0, "Columns": 2}, "as HSV,"),
    ({"SamplesPerPixel": 4}, "Cannot decode .*Samples per Pixel"),
    ({"BitsStored": 12, "BitsAllocated": 11}, "Cannot decode .*Bits Allocated"),
    ({"kind": MPEG2MPML}, "transfer syntax MPEG2 Main Profile .*, which cannot be read: convert it"),
    ({"kind": "1.2.3.4.5"}, "transfer syntax 1.2.3.4.5, which cannot be read: convert it"),
    ({"VOILUTSequence": table([1, 2], 8)}, r"table has 4 of 9 entries"),
]
REFUSED[-1][0]["VOILUTSequence"][0].LUTDescriptor[0] = 9


@pytest.mark.parametrize(("elements", "said"), REFUSED)
def test_one_sentence_for_what_cannot_be_read(elements, said):
    # A compressed file is refused before anything of it is decompressed.
    with pytest.raises(BadImageError, match=said) as refusal:
        read(np.zeros((4, 6), np.uint8), **elements)
    assert "a.dcm" in str(refusal.value) and "\n" not in str(refusal.value)


def test_no_picture_and_no_dicom(monkeypatch):
    report = made_dicom(
        np.zeros((2, 2), np.uint8),
        **dict.fromkeys(("PixelData", "Rows", "Columns", "BitsStored", "SamplesPerPixel", "HighBit", "BitsAllocated")),
        SOPClassUID=ComprehensiveSRStorage,
    )
    with pytest.raises(BadImageError, match=r"a.dcm has no pixels \(Comprehensive SR Storage\): remove it"):
        read_dicom(report, "a.dcm")
    with pytest.raises(BadImageError, match="a.dcm is no DICOM file, it has no DICM at byte 128"):
        read_dicom(b"text" * 99, "a.dcm")
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(UserError, match=r"a.dcm needs pydicom: pip install 'lightning_imbal\[dicom\]'"):
        read_dicom(report, "a.dcm")


def test_no_decoder(monkeypatch):
    decoder = pydicom.pixels.get_decoder(JPEG2000)
    monkeypatch.setattr(decoder, "_available", {})
    whole = made_dicom(ramp(12), 12, kind="jpeg2000")
    with pytest.raises(BadImageError, match=r"as JPEG 2000 .*no decoder is installed: pip install 'lightning_imbal"):
        read_dicom(whole.replace(b"1.2.840.10008.1.2.4.90", b"1.2.840.10008.1.2.4.91"), "a.dcm")


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_files_are_refused_or_read_and_nothing_else_is_said(kind, caplog):
    whole = made_dicom(ramp(12), 12, kind=kind, WindowCenter=5, WindowWidth=6)
    rng = np.random.default_rng(0)
    caplog.set_level(logging.DEBUG)
    refused = 0
    with warnings.catch_warnings(record=True) as said:
        for cut in np.linspace(140, len(whole) - 60, 12).astype(int):
            with pytest.raises(BadImageError):
                read_dicom(whole[:cut], "a.dcm")
        for _ in range(30):
            damaged = np.frombuffer(whole, np.uint8).copy()
            damaged[rng.integers(132, min(len(whole), 900), 3)] = rng.integers(0, 256, 3)
            try:
                read_dicom(damaged.tobytes(), "a.dcm")
            except BadImageError as error:
                refused += 1
                assert "a.dcm" in str(error) and "\n" not in str(error)
    assert refused and not said and not caplog.records
