"""Lists the pictures below a folder, without what computers leave behind."""

import os
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from lightning_imbal.data.dicom.file import SUFFIXES
from lightning_imbal.data.dicom.header import is_dicom_file
from lightning_imbal.errors import UserError

IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", *SUFFIXES}
LOOKED_INTO = 100  # files that may be DICOM without its ending
LITTER = {"__MACOSX", "__pycache__", "@eaDir", "lost+found", "$RECYCLE.BIN", "System Volume Information"}
NO_TEXT = re.compile("[\ud800-\udfff]")  # a byte of a file's name that is not UTF-8, as Python has it


def is_litter(name: str) -> bool:
    """Whether a file or folder of this name is hidden, or left behind by a computer."""
    return name.startswith(".") or name in LITTER


def files_below(folder: str | Path) -> list[str]:
    """Paths below a folder of all files in it, with `/`, without those that are litter or lie in it, sorted by folder.

    Links to folders are followed, but not back to where they are.
    """
    return sorted(_walk(os.fspath(folder), "", ()), key=lambda path: path.split("/"))


def _walk(folder: str, below: str, above: tuple[str, ...]) -> Iterator[str]:
    try:
        entries = list(os.scandir(folder))
    except OSError:  # may not be read: as if it were empty
        return
    for entry in entries:
        if is_litter(entry.name):
            continue
        if not entry.is_dir():
            yield below + entry.name
        elif not entry.is_symlink():
            yield from _walk(entry.path, f"{below}{entry.name}/", above)
        elif (target := os.path.realpath(entry.path)) not in above and not _is_above(target, folder):
            yield from _walk(entry.path, f"{below}{entry.name}/", (*above, target))


def _is_above(folder: str, other: str) -> bool:
    return os.path.commonpath([folder, os.path.realpath(other)]) == folder


def is_picture(name: str) -> bool:
    """Whether a file is a picture by its ending."""
    return os.path.splitext(name)[1].lower() in IMAGE_SUFFIXES


def pictures_in(folder: str | Path) -> list[str]:
    """Paths of the pictures among `files_below`.

    Raises:
        UserError: The name of one is not UTF-8: it could not be written anywhere.
    """
    found = [path for path in files_below(folder) if is_picture(path)]
    if unnamed := next(filter(NO_TEXT.search, found), None):
        name = ascii(os.path.join(folder, unnamed))
        raise UserError(f"The name of the picture {name} is not UTF-8: rename the file, or its folder.")
    return found


def refuse_unnamed_dicom(folder: str | Path) -> None:
    """Refuses a folder without pictures by their names, if files there are DICOM by their first bytes.

    Raises:
        UserError: The message has the first of them.
    """
    names = (path for path in files_below(folder) if path.rpartition("/")[2].upper() != "DICOMDIR")
    if found := next((path for path in islice(names, LOOKED_INTO) if is_dicom_file(os.path.join(folder, path))), None):
        raise UserError(
            f"{folder} has no pictures by their names, but {found} is DICOM: let the names of such files end in .dcm."
        )


def pictures_below(folder: str | Path) -> list[Path]:
    """As `pictures_in`, whole paths."""
    place = Path(folder).expanduser()
    return [place / path for path in pictures_in(place)]
