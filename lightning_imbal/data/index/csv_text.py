"""The text of a CSV file, its columns and what separates them, whatever program has written it."""

import csv
import gzip
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Collection
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from lightning_imbal.errors import UserError

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
LONGEST_HEADER = 100_000  # characters


@dataclass(frozen=True)
class CSVText:
    """A CSV file whose header has been read.

    Args:
        header: The names of its columns.
        rows: The lines after the header, in UTF-8.
        line: Number of the first of them.
        separator: What is between two cells.
        unusual: How it had to be read, for people; empty for UTF-8 and commas.
    """

    header: list[str]
    rows: memoryview
    line: int
    separator: str
    unusual: str


def open_csv(path: Path, columns: Collection[str], separator: str | None) -> CSVText:
    """Decodes a CSV file and reads its header.

    Args:
        path: The file; may be compressed (`.gz`).
        columns: Names that tell the separator: it is the first that finds them in the header; without any, the one
            that finds most columns.
        separator: It, where it is known.

    Raises:
        UserError: The encoding is none of UTF-8, UTF-16 and Latin-1.
        OSError: The file cannot be read.
    """
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    content, encoding = _in_utf8(content, path)
    beginning = content[:LONGEST_HEADER].decode(errors="ignore")
    tried = {each: _header(beginning, each) for each in ([separator] if separator else SEPARATORS)}
    if columns:
        used = next((each for each, (header, _, _) in tried.items() if {*columns} <= {*header}), next(iter(tried)))
    else:
        used = max(tried, key=lambda each: len(tried[each][0]))
    header, size, lines = tried[used]
    as_what = [] if encoding == "UTF-8" else [f"as {encoding}"]
    if used != (separator or ","):
        as_what.append(f"with {SEPARATORS[used]} between its cells")
    unusual = " and ".join(as_what)
    if encoding == "Latin-1":
        first = next(line for line in content.decode().splitlines() if not line.isascii())
        unusual += f", because it is not UTF-8: save it as UTF-8 if this line of it looks wrong: {first!r}"
    return CSVText(header, memoryview(content)[size:], lines + 1, used, unusual)


def _in_utf8(content: bytes, path: Path) -> tuple[bytes, str]:
    """A file as UTF-8 without a byte order mark, and the name of its encoding."""
    utf16 = content.startswith((BOM_UTF16_LE, BOM_UTF16_BE))
    try:
        text, encoding = content.decode("utf-16" if utf16 else "utf-8"), "UTF-16" if utf16 else "UTF-8"
        unclear = "\0" in text
    except UnicodeDecodeError:
        text, encoding = content.decode("latin-1"), "Latin-1"
        # Latin-1 gives any bytes a meaning: control characters betray Windows-1252, Shift-JIS, or what is no text.
        unclear = utf16 or any("\x7f" <= character <= "\x9f" or character == "\0" for character in {*text})
    if unclear:
        raise UserError(f"{path} is not UTF-8 text, nor UTF-16 or Latin-1: save it as CSV with UTF-8 encoding.")
    return (content if encoding == "UTF-8" else text.encode()).removeprefix(BOM_UTF8), encoding


def _header(text: str, separator: str) -> tuple[list[str], int, int]:
    """The first row that is not blank, the bytes until its end, and the lines until there."""
    stream = StringIO(text, newline="")
    reader = csv.reader(iter(stream.readline, ""), delimiter=separator)
    header = next((cells for cells in reader if any(cells)), [])
    return header, len(text[: stream.tell()].encode()), reader.line_num
