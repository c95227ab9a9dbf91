"""Size and kind of a picture file by its header."""

from PIL import Image

from lightning_imbal.atomic_files import is_endless
from lightning_imbal.data.dicom.header import header_texts, is_dicom_file, tags_of
from lightning_imbal.data.pictures.headers import JPEG_SUFFIXES, Header, header_at

OF_DICOM = ("Columns", "Rows", "BitsStored", "PhotometricInterpretation")


def picture_format(path: str) -> tuple[str | None, str | None]:
    """Width and height, as `600x450`, and kind, as `RGB`, `16 bits` or `DICOM MONOCHROME2 of 12 bits`, where known."""
    if is_dicom_file(path):
        found = header_texts(path, tags_of(OF_DICOM))
        width, height, bits, form = (found.get(name) for name in OF_DICOM)
        return (f"{width}x{height}", f"DICOM {form} of {bits} bits") if width and height else (None, None)
    try:
        if is_endless(path):
            return None, None
        with Image.open(path) as picture:
            size, mode = f"{picture.width}x{picture.height}", picture.mode
        header = Header() if path.lower().endswith(JPEG_SUFFIXES) else header_at(path)
        return size, header.depth if header.deep else mode
    except (OSError, ValueError, Image.DecompressionBombError):
        return None, None
