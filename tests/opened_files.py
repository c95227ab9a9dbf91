"""Which files are opened below a folder, be it to read the whole or a header."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_below: list[str] = []
_opened: list[str] = []


def _note(event: str, arguments: tuple) -> None:
    if event in ("open", "os.open") and _below and isinstance(arguments[0], str | bytes | os.PathLike):
        path = os.fsdecode(arguments[0])
        if path.startswith(_below[0]):
            _opened.append(path)


sys.addaudithook(_note)  # for good; it looks at nothing while `_below` is empty


@contextmanager
def opened_below(folder: Path) -> Iterator[list[str]]:
    """The paths that are opened meanwhile, in their order."""
    _below[:], _opened[:] = [str(folder)], []
    try:
        yield _opened
    finally:
        _below.clear()
