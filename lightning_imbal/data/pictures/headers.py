"""What kind of picture a file is, and how deep, by its header alone."""

import io
import os
import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from struct import error as StructError
from typing import Any, BinaryIO, NamedTuple

from PIL.TiffImagePlugin import ImageFileDirectory_v2

from lightning_imbal.atomic_files import is_endless
from lightning_imbal.data.dicom.file import SUFFIXES, has_magic

PNG_START = b"\x89PNG\r\n\x1a\n"
BIT_DEPTH, COLOUR = 24, 25  # where a PNG says how deep it is, and the type of its colours
TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # the last two of files of more than 4 GB
JPEG_SUFFIXES = (".jpg", ".jpeg")  # which are taken at their word: none is opened to see how deep it is
START = 2**16  # bytes that hold the header of anything but a TIFF
BITS, PHOTOMETRIC, EXTRA, SAMPLE_FORMAT = 258, 262, 338, 339  # tags of a TIFF
WHITE_IS_ZERO, SIGNED, FLOAT = 0, 2, 3
PREMULTIPLIED, TRANSPARENCY = 1, 2  # kinds of a further channel
ONE_PAGE = "only the first page is read"

warnings.filterwarnings("ignore", module="PIL.TiffImagePlugin")  # of a damaged file, which is refused by name


class Header(NamedTuple):
    """What the header of a picture says.

    Attributes:
        depth: In words, such as "16 bits"; "DICOM" for one of those, whose bits only its own reader knows.
        deep: Whether its values are no bytes, or those of DICOM.
        transparent: Whether it may have parts that are not opaque, which must be looked for.
        notes: As those of `Raw`.
        tiff: The tags of a TIFF.
    """

    depth: str = "8 bits"
    deep: bool = False
    transparent: bool = False
    notes: tuple[str, ...] = ()
    tiff: Mapping[int, Any] | None = None


def header_of(file: BinaryIO, name: str) -> Header:
    """Reads the header of an open picture file; of one that cannot be read, that of any picture of 8 bits."""
    start = file.read(START)
    if start.startswith(PNG_START):
        return _of_png(start)
    if is_dicom(start, name):
        return Header("DICOM", deep=True)
    if start.startswith(TIFF_STARTS):
        return _of_tiff(file)
    return Header(transparent=_is_transparent_webp(start))


def header_at(path: str | Path) -> Header:
    """Reads the header of a picture file; of one that cannot be opened, that of any picture of 8 bits."""
    with suppress(OSError):
        if not is_endless(path):
            with open(path, "rb") as file:
                return header_of(file, os.fspath(path))
    return Header()


def is_special(encoded: bytes, path: str | Path) -> bool:
    """Whether the content of a file is anything but an opaque picture of 8 bits."""
    if encoded.startswith(PNG_START):
        return len(encoded) > COLOUR and (encoded[BIT_DEPTH] == 16 or not is_opaque_png(encoded))
    header = header_of(io.BytesIO(encoded), os.fspath(path))
    return header.deep or header.transparent


def is_opaque_png(start: bytes) -> bool:
    """Whether a PNG has neither opacity nor a transparent colour, which stands before its pixels."""
    return start[COLOUR] not in (4, 6) and start.find(b"tRNS", 33, start.find(b"IDAT", 33)) < 0


def is_dicom(start: bytes, name: str) -> bool:
    """Whether a file is DICOM by its first bytes, or by its ending if it has no such beginning."""
    return has_magic(start) or name.lower().endswith(SUFFIXES)


def _of_png(start: bytes) -> Header:
    if len(start) <= COLOUR:
        return Header()
    deep = start[BIT_DEPTH] == 16
    return Header("16 bits" if deep else "8 bits", deep, transparent=not is_opaque_png(start))


def _of_tiff(file: BinaryIO) -> Header:
    try:
        file.seek(0)
        start = file.read(8)
        tags = ImageFileDirectory_v2(start + (file.read(8) if start[2:3] in b"+" or start[3:4] == b"+" else b""))
        file.seek(tags.next)
        tags.load(file)
        bits, kind = max(tags.get(BITS, (1,))), max(tags.get(SAMPLE_FORMAT, (1,)))
        transparent = any(extra in (PREMULTIPLIED, TRANSPARENCY) for extra in tags.get(EXTRA, ()))
    except (OSError, StructError, SyntaxError, ValueError, KeyError, TypeError, IndexError):
        return Header()
    notes = (ONE_PAGE,) if tags.next else ()
    deep = bits > 8 or kind in (SIGNED, FLOAT)
    word = {SIGNED: ", signed", FLOAT: ", floating point"}.get(kind, "")
    return Header(f"{bits} bits{word}", True, transparent, notes, tags) if deep else Header(notes=notes)


def _is_transparent_webp(start: bytes) -> bool:
    if start[:4] != b"RIFF" or start[8:12] != b"WEBP" or len(start) < 25:
        return False
    return bool(start[20] & 0x10) if start[12:16] == b"VP8X" else start[12:16] == b"VP8L" and bool(start[24] & 0x10)
