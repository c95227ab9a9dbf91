"""Attributes in the header of one DICOM file, by their keywords, as text."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lightning_imbal.atomic_files import is_endless
from lightning_imbal.data.dicom.elements import several
from lightning_imbal.data.dicom.file import MAGIC, has_magic, load_pydicom
from lightning_imbal.errors import UserError
from lightning_imbal.wording import did_you_mean

NO_TEXT = {"SQ", "OB", "OW", "OF", "OD", "OL", "OV", "UN", "OB or OW"}  # kinds of values that are no text
FIRST_OF_PIXELS = 0x7FE00000
OF_FILE = 0x0002  # group of the attributes that tell how the file is written
AGE = re.compile(r"(\d{1,3})([DWMY])")
YEARS = {"D": 1 / 365.25, "W": 7 / 365.25, "M": 1 / 12, "Y": 1}


def is_dicom_file(path: str | Path) -> bool:
    """Whether a file is DICOM by its first bytes, whatever its name."""
    try:
        if is_endless(path):
            return False
        with open(path, "rb") as file:
            return has_magic(file.read(MAGIC.stop))
    except OSError:
        return False


def tags_of(names: Sequence[str]) -> dict[str, int]:
    """The tag of each keyword (PS3.6).

    Raises:
        UserError: There is no such keyword, or its values are no text.
    """
    return {name: _tag(name) for name in names}


def _tag(name: str) -> int:
    pydicom = load_pydicom(f"The DICOM attribute {name}")
    tag = pydicom.datadict.tag_for_keyword(name)
    if tag is None:
        mend = did_you_mean(name, pydicom.datadict.keyword_dict) or "give the keyword of one, such as PatientSex."
        raise UserError(f"There is no DICOM attribute {name!r}: {mend}")
    if (kind := pydicom.datadict.dictionary_VR(tag)) in NO_TEXT:
        raise UserError(f"The DICOM attribute {name} is no text but of the kind {kind}: name another one.")
    return int(tag)


def header_texts(path: str, tags: Mapping[str, int]) -> dict[str, str]:
    """The attributes that a file has; nothing is read beyond the last of them.

    Args:
        path: The file. One that is no DICOM file, or is damaged, has none: who decodes it will say so.
        tags: See `tags_of`.
    """
    from pydicom.filereader import read_partial
    from pydicom.tag import Tag

    last = min(max(tags.values()), FIRST_OF_PIXELS)
    wanted: list[Any] = [Tag(tag) for tag in tags.values()]
    if not is_dicom_file(path):
        return {}
    try:
        with open(path, "rb") as file:
            found = read_partial(file, stop_when=lambda tag, kind, length: tag > last, specific_tags=wanted)
            places = {name: found.file_meta if tag >> 16 == OF_FILE else found for name, tag in tags.items()}
            return {name: _text(place[tags[name]]) for name, place in places.items() if tags[name] in place}
    except Exception:  # each damage has its own
        return {}


def _text(element: Any) -> str:
    values = [str(each).strip(" \0") for each in several(element.value)]
    if element.VR == "AS":
        values = [_in_years(each) for each in values]
    return "\\".join(values)


def _in_years(age: str) -> str:
    found = AGE.fullmatch(age)
    return f"{round(int(found[1]) * YEARS[found[2]], 3):g}" if found else age
