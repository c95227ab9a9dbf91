"""Finds the pictures that a label file names, wherever they lie below a folder."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from lightning_imbal.errors import UserError

ENDING = re.compile(r"(?<=.)\.[A-Za-z]{2,5}\Z")

WHOLE = 0


def without_ending(name: str) -> str:
    """A name without what looks like the ending of a file."""
    return ENDING.sub("", name)


# What of a name must be that of the file: all, all but the file's ending, all but both, and that in small letters.
LEVELS: list[tuple[Callable[[str], str], Callable[[str], str]]] = [
    (str, str),
    (str, without_ending),
    (without_ending, without_ending),
    (lambda name: without_ending(name).lower(), lambda name: without_ending(name).lower()),
]


def find_by_name(
    names: pd.Series, files: Sequence[str], root: Path, source: object, mend: str | None = None
) -> pd.Series:
    """The file that each name means: the only one of that name below a folder, with or without ending.

    Of several files of one name, the one is meant that shares most folders with the name, counted from the picture up.

    Args:
        names: Name of every picture as the label file has it, such as `a`, `a.jpg`, `images/a.jpg` or a path of another
            machine.
        files: Paths of the pictures below `root`, with `/`.
        root: The folder, for the message.
        source: The label file, for the message.
        mend: What to do where two files have a name; None leaves one out with `data.exclude`.

    Returns:
        One of `files` for every name; missing where there is none.

    Raises:
        UserError: A name may mean two of the files; the message has both.
    """
    written = names.str.replace("\\", "/", regex=False)
    found = pd.Series(index=names.index, dtype=object)
    depth = 1 + min(int(written.str.count("/").max()), max((file.count("/") for file in files), default=0))
    for of_name, of_file in LEVELS:
        for parts in (WHOLE, *range(depth, 0, -1)):
            left = written[found.isna()]
            if left.empty:
                return found
            keys = pd.Series([_end(of_name(name), parts) for name in left], index=left.index, dtype=object).dropna()
            places: dict[str, list[str]] = {}
            wanted = set(keys)
            for file in files:
                if (end := _end(of_file(file), parts)) in wanted:
                    places.setdefault(str(end), []).append(file)
            meant = keys[keys.isin(places)]
            for row, key in meant.items():
                if len(places[key]) > 1:
                    raise _unclear(names[row], places[key][0], places[key][1], root, source, mend)
            found = found.fillna(meant.map({key: file for key, (file, *_) in places.items()}))
    return found


def _end(path: str, parts: int) -> str | None:
    """The last parts of a path, or all of it; None if it has fewer."""
    if parts == WHOLE:
        return path
    split = path.rsplit("/", parts)
    return "/".join(split[-parts:]) if len(split) >= parts else None


def _unclear(name: str, first: str, second: str, root: Path, source: object, mend: str | None) -> UserError:
    folder, other = first.rpartition("/")[0], second.rpartition("/")[0]
    pattern = f"{other}/*" if other != folder else f"*{Path(second).suffix}"
    out = f"leave one of them out, such as with data.exclude='{pattern}', or write paths below {root} into the file"
    return UserError(f"The image {name} of {source} may be {root / first} or {root / second}: {mend or out}.")
