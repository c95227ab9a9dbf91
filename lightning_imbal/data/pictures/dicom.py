"""One DICOM file to values with a black and a white, as PS3.3 C.11 has them displayed."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lightning_imbal.data.dicom.elements import description, entries, number, padding_of, several
from lightning_imbal.data.dicom.file import DAMAGED, decode_pixels, open_dicom
from lightning_imbal.data.dicom.levels import (
    Levels,
    Range,
    looked_up,
    rescaled,
    stored_range,
    turned,
    windowed,
)
from lightning_imbal.data.pictures.raw import Raw
from lightning_imbal.errors import BadImageError, UserError

if TYPE_CHECKING:
    from pydicom import Dataset

GREY = ("MONOCHROME1", "MONOCHROME2")
COLOURS = ("RGB", "YBR_RCT", "YBR_ICT")  # the last two are turned into the first when they are decompressed
DARK = 16  # a picture whose values fill less of their range shows fewer than 16 grey levels of 256

OF_SPACING = "the pixel spacing is not used"
OF_ASPECT = "the pixels are not square, which is not corrected"
OF_PADDING = "the padding is black"
OF_WINDOWS = "the first of several windows is used"
OF_NO_WINDOW = "the window means nothing and is not used"
OF_DARKNESS = (
    "the values fill less than a sixteenth of the range of their bits, and no window says which: they come out dark "
    "without data.window or data.depth"
)


def read_dicom(encoded: bytes, path: str | Path, window: Range | None = None) -> Raw:
    """Decodes a DICOM file with one picture.

    Grey values are rescaled (Modality LUT, slope and intercept). What is black and white says `window`, else the file
    by its VOI LUT or first window, else the range of its stored bits. A linear window leaves the values as they are,
    beyond black and white too; a sigmoid one, or a table, gives new values. MONOCHROME1 is turned, so that the largest
    value is white; padding is black. Colours come out as RGB.

    Args:
        encoded: The whole file.
        path: Where it lies, for messages.
        window: Centre and width of a linear window on rescaled values (PS3.3 C.11.2.1.2.1), in place of the file's own.
            Colours have none.

    Raises:
        BadImageError: It is no DICOM file, or has no picture, several, or one that cannot be decoded.
        UserError: pydicom is not installed, or the width of `window` is below 1.
    """
    try:
        dataset = open_dicom(encoded, path)
        stored, form = decode_pixels(dataset, path)
        if form in GREY:
            return _grey(dataset, stored, form == "MONOCHROME1", window)
        if form == "PALETTE COLOR":
            return _palette(dataset, stored)
        if form not in COLOURS:
            raise BadImageError(f"The DICOM file {path} has colours as {form}, which are not read: convert it to RGB.")
        return Raw(*_plain(stored, stored_range(dataset.BitsStored, False)), _of_geometry(dataset))
    except UserError:
        raise
    except Exception as error:  # pydicom and each of its decoders raise their own where a file is damaged
        raise BadImageError(f"Cannot decode the DICOM file {path} ({_reason(error)}): {DAMAGED}.") from error


def _reason(error: Exception) -> str:
    """What an error says, or that of the first decoder that failed, in a line."""
    said = str(error).rpartition("available plugins:")[2].partition(" - ")[0].strip()
    return said.splitlines()[0] if said else type(error).__name__


def _grey(dataset: "Dataset", stored: np.ndarray, turn: bool, window: Range | None) -> Raw:
    is_float = stored.dtype.kind == "f"
    extremes = float(stored.min()), float(stored.max())
    bounds = extremes if is_float else stored_range(dataset.BitsStored, bool(dataset.PixelRepresentation))
    padding = padding_of(dataset, stored)
    levels = _modality(dataset, Levels(stored, bounds, bounds))
    shown, notes = _of_interest(dataset, levels, window)
    if shown is levels and not is_float and extremes[1] - extremes[0] < (bounds[1] - bounds[0]) / DARK:
        notes = (OF_DARKNESS,)
    span = None if is_float and shown is levels else shown.span
    if turn:
        shown = turned(shown)
        span = span and shown.span
    values = shown.values
    if padding is not None and padding.any():
        values = values.astype(np.int32 if values.dtype.kind in "iu" and max(map(abs, bounds)) < 2**31 else np.float32)
        values[padding] = np.floor(min(shown.bounds[0], shown.span[0]))
        notes += (OF_PADDING,)
    return Raw(*_plain(values, span), (*notes, *_of_geometry(dataset)))


def _plain(values: np.ndarray, span: Range | None) -> tuple[np.ndarray, Range | None]:
    """Values of a type that is not larger than it must be; 8-bit only where black and white are its own ends."""
    if values.dtype.itemsize == 8:
        return values.astype(np.float32), span
    if values.dtype.itemsize == 1 and span != (0, 255):
        return values.astype(np.int16), span
    return values, span


def _modality(dataset: "Dataset", levels: Levels) -> Levels:
    if table := dataset.get("ModalityLUTSequence"):
        return looked_up(levels, table[0].LUTDescriptor, entries(dataset, table[0]))
    of = description(dataset, "PixelValueTransformationSequence")
    slope, intercept = number(of.get("RescaleSlope")), number(of.get("RescaleIntercept"))
    if slope is None or intercept is None or slope == 0:
        return levels
    return rescaled(levels, slope, intercept)


def _of_interest(dataset: "Dataset", levels: Levels, window: Range | None) -> tuple[Levels, tuple[str, ...]]:
    """Applies the VOI LUT or window, and says what was taken; without one the levels come back as they are."""
    if window is not None:
        if (shown := windowed(levels, *window)) is None:
            raise UserError(f"data.window has the width {window[1]:g}: give a centre and a width of at least 1.")
        return shown, ()
    if table := dataset.get("VOILUTSequence"):
        shown = looked_up(levels, table[0].LUTDescriptor, entries(dataset, table[0]))
        return shown, (OF_WINDOWS,) if len(table) > 1 else ()
    of = description(dataset, "FrameVOILUTSequence")
    centres, widths = several(of.get("WindowCenter")), several(of.get("WindowWidth"))
    if not centres or not widths:
        return levels, ()
    function = str(of.get("VOILUTFunction") or "LINEAR").upper()
    shown = windowed(levels, float(centres[0]), float(widths[0]), function)
    if shown is None:
        return levels, (OF_NO_WINDOW,)
    return shown, (OF_WINDOWS,) if len(centres) > 1 else ()


def _palette(dataset: "Dataset", stored: np.ndarray) -> Raw:
    from pydicom.pixels.processing import apply_color_lut

    colours = apply_color_lut(stored, dataset)[..., :3]
    bits = min(8 * colours.dtype.itemsize, int(dataset.RedPaletteColorLookupTableDescriptor[2]))
    return Raw(*_plain(colours, stored_range(bits, False)), _of_geometry(dataset))


def _of_geometry(dataset: "Dataset") -> tuple[str, ...]:
    """What is said of the size and shape of the pixels."""
    spacing = several(dataset.get("PixelSpacing")) or several(dataset.get("ImagerPixelSpacing"))
    shape = several(dataset.get("PixelAspectRatio")) or spacing
    if len(shape) == 2 and float(shape[0]) != float(shape[1]):
        return (OF_ASPECT,)
    return (OF_SPACING,) if spacing else ()
