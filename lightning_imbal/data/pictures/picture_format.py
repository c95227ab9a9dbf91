"""Size and kind of a picture file by its header."""

from PIL import Image

from lightning_imbal.atomic_files import is_endless
from lightning_imbal.data.dicom.header import header_texts, is_dicom_file, tags_of

OF_DICOM = ("Columns", "Rows", "BitsStored", "PhotometricInterpretation")


def picture_format(path: str) -> tuple[str | None, str | None]:
    """Width and height, as `600x450`, and kind, as `RGB` or `DICOM MONOCHROME2 of 12 bits`; None if unknown."""
    if is_dicom_file(path):
        found = header_texts(path, tags_of(OF_DICOM))
        width, height, bits, form = (found.get(name) for name in OF_DICOM)
        return (f"{width}x{height}", f"DICOM {form} of {bits} bits") if width and height else (None, None)
    try:
        if is_endless(path):
            return None, None
        with Image.open(path) as picture:
            return f"{picture.width}x{picture.height}", picture.mode
    except (OSError, ValueError, Image.DecompressionBombError):
        return None, None
