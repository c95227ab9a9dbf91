"""Opens DICOM files, and refuses by name what is none, has no picture or lacks what its picture needs."""

import io
import logging
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lightning_imbal.errors import BadImageError, UserError

if TYPE_CHECKING:
    from pydicom import Dataset

PIP = "pip install 'lightning_imbal[dicom]'"
MAGIC = slice(128, 132)
SUFFIXES = (".dcm", ".dicom", ".ima")
PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
NEEDED = ("Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "BitsAllocated")
NEEDED_OF_INTEGERS = ("BitsStored", "PixelRepresentation")
MOST_PIXELS = 2**28  # of the largest scanner of slides; a header that says more is wrong
DAMAGED = "copy it again, or remove it"


def has_magic(begin: bytes) -> bool:
    """Whether the first bytes of a file, at least 132, are those of a DICOM file."""
    return begin[MAGIC] == b"DICM"


def load_pydicom(path: str | Path) -> Any:
    """The library, which from now on says nothing by itself: it would warn of much that does no harm.

    Raises:
        UserError: It is not installed; the message names the file that needs it.
    """
    try:
        import pydicom
        import pydicom.pixels
    except ImportError as error:
        raise UserError(f"{path} needs pydicom: {PIP}.") from error
    warnings.filterwarnings("ignore", module=r"pydicom(\.|\Z)")
    logging.getLogger("pydicom").setLevel(logging.CRITICAL)
    return pydicom


def open_dicom(encoded: bytes, path: str | Path) -> "Dataset":
    """Parses a file and checks that it has one picture whose form it tells.

    Raises:
        BadImageError: It has not; one sentence says what is wrong.
        Exception: Of many kinds, where it is damaged.
        UserError: pydicom is not installed.
    """
    pydicom = load_pydicom(path)
    if not has_magic(encoded):
        raise BadImageError(f"{path} is no DICOM file, it has no DICM at byte 128: replace or remove it.")
    dataset = pydicom.dcmread(io.BytesIO(encoded))
    if not any(keyword in dataset for keyword in PIXELS):
        raise _without_pixels(dataset, path)
    needed = (*NEEDED, *(NEEDED_OF_INTEGERS if "PixelData" in dataset else ()))
    if missing := [keyword for keyword in needed if dataset.get(keyword) in (None, "")]:
        raise BadImageError(
            f"The DICOM file {path} has no {missing[0]}, without which its pixels have no meaning: export it again, or "
            "remove it."
        )
    if (frames := int(dataset.get("NumberOfFrames") or 1)) > 1:
        raise BadImageError(
            f"The DICOM file {path} has {frames} frames: save those that are wanted as single pictures, such as PNG, "
            "or remove it."
        )
    if dataset.Rows * dataset.Columns > MOST_PIXELS:
        raise BadImageError(f"The DICOM file {path} claims {dataset.Columns}x{dataset.Rows} pixels: {DAMAGED}.")
    return dataset


def decode_pixels(dataset: "Dataset", path: str | Path) -> tuple[np.ndarray, str]:
    """The stored values, (H, W) or (H, W, 3), without what their unused bits hold, and the kind of their colours.

    Raises:
        BadImageError: No decoder reads them.
        Exception: Of many kinds, where they are damaged.
    """
    from pydicom.pixels import get_decoder  # type: ignore[attr-defined]  # documented as of there

    uid = dataset.file_meta.get("TransferSyntaxUID", "")
    name = getattr(uid, "name", uid) or "none"
    try:
        decoder = get_decoder(uid)
    except NotImplementedError:
        raise BadImageError(
            f"The pixels of the DICOM file {path} have the transfer syntax {name}, which cannot be read: convert it to "
            "an uncompressed one, or remove it."
        ) from None
    if not decoder.is_available:
        raise BadImageError(f"The DICOM file {path} is compressed as {name}, for which no decoder is installed: {PIP}.")
    shifted = decoder.is_native and _is_shifted(dataset)
    options: dict[str, Any] = {"correct_unused_bits": not shifted}
    stored, form = decoder.as_array(dataset, **options)
    stored = stored.astype(stored.dtype.newbyteorder("="), copy=False)
    if shifted:
        stored <<= dataset.BitsAllocated - 1 - dataset.HighBit
        stored >>= dataset.BitsAllocated - dataset.BitsStored
    return stored, str(form["photometric_interpretation"])


def _is_shifted(dataset: "Dataset") -> bool:
    """Whether the unused bits are below those of the values, as long ago, when overlays were kept in them."""
    stored = dataset.get("BitsStored")
    return "PixelData" in dataset and dataset.get("HighBit", stored - 1) != stored - 1


def _without_pixels(dataset: "Dataset", path: str | Path) -> BadImageError:
    if "Rows" in dataset:
        return BadImageError(f"The DICOM file {path} ends before its pixels, it is truncated: {DAMAGED}.")
    kind = getattr(dataset.file_meta.get("MediaStorageSOPClassUID"), "name", "of an unknown kind")
    return BadImageError(f"The DICOM file {path} has no pixels ({kind}): remove it.")
