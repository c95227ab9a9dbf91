"""DICOM files with known pixels, made by pydicom."""

import io
import warnings

import numpy as np
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
    SecondaryCaptureImageStorage,
    generate_uid,
)

KINDS = {
    "explicit": ExplicitVRLittleEndian,
    "implicit": ImplicitVRLittleEndian,
    "big": ExplicitVRBigEndian,
    "deflated": DeflatedExplicitVRLittleEndian,
    "rle": RLELossless,
    "jpeg2000": JPEG2000Lossless,
    "jpegls": JPEGLSLossless,
}
COMPRESSED = ("rle", "jpeg2000", "jpegls")


def made_dicom(pixels, bits=None, kind="explicit", form="MONOCHROME2", **elements):
    """A file in memory.

    Args:
        pixels: (H, W) or (H, W, 3), integers.
        bits: Stored bits; those of the type if None.
        kind: How it is encoded, one of `KINDS`, or a transfer syntax whose pixels are not really encoded so.
        form: Photometric interpretation.
        **elements: Any others by keyword; None leaves one out.
    """
    pixels = np.ascontiguousarray(pixels)
    bits = bits or 8 * pixels.dtype.itemsize
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    syntax = UID(KINDS.get(kind, kind))
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian if kind in COMPRESSED else syntax
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = SecondaryCaptureImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = generate_uid()
    dataset.Rows, dataset.Columns = pixels.shape[:2]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = (3 if pixels.ndim == 3 else 1), form
    if pixels.ndim == 3:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8 * pixels.dtype.itemsize, bits, bits - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    order = ">" if kind == "big" else "<"
    data = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()
    dataset.PixelData = data + b"\0" * (len(data) % 2)
    dataset["PixelData"].VR = "OB" if pixels.dtype.itemsize == 1 else "OW"
    if kind in COMPRESSED:
        dataset.compress(syntax, generate_instance_uid=False)
    elif not syntax.is_private and syntax.is_compressed and kind != "deflated":
        dataset.PixelData = encapsulate([dataset.PixelData])
        dataset["PixelData"].is_undefined_length = True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some are wrong on purpose
        for keyword, value in elements.items():
            if value is None:
                del dataset[keyword]
            else:
                setattr(dataset, keyword, value)
    buffer = io.BytesIO()
    options = {"implicit_vr": False, "little_endian": True} if syntax.is_private else {}
    dataset.save_as(buffer, enforce_file_format=True, **options)
    return buffer.getvalue()


def ramp(bits, signed=False, shape=(32, 64)):
    """All grey levels of so many bits, spread over a picture, from the least to the greatest."""
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    values = np.rint(np.linspace(low, high, shape[0] * shape[1])).reshape(shape)
    kind = np.int8 if bits <= 8 else np.int16
    return values.astype(kind if signed else kind(0).astype(f"u{np.dtype(kind).itemsize}").dtype)
