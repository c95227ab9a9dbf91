"""Finds the files of a data set on the disk."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from lightning_imbal.errors import DatasetNotFoundError


def absent_files(paths: pd.Series) -> pd.Series:
    """Marks the paths (folder/name) that do not exist, reading each folder once."""
    place = paths.str.rsplit("/", n=1, expand=True)
    absent = pd.Series(True, index=paths.index)
    for folder, names in place.groupby(0)[1]:
        if os.path.isdir(folder):
            present = set(os.listdir(folder))  # faster than isin on text
            absent[names.index] = [name not in present for name in names]
    return absent


def identities(paths: pd.Series) -> list[tuple[object, str]]:
    """What tells files apart: equal for `a.png`, `./a.png`, its absolute path and a symbolic link to it.

    Folders are read, and no file is asked for but links: on a disk in the network, each question takes long.
    """
    places = [path.rpartition("/") for path in paths.tolist()]
    folders = {folder for folder, _, _ in places}
    known, links = {folder: _identity(folder) for folder in folders}, {folder: _links_in(folder) for folder in folders}
    found = []
    for folder, _, name in places:
        if name in links[folder]:
            target = Path(folder, name).resolve()
            found.append((_identity(str(target.parent)), target.name))
        else:
            found.append((known[folder], name))
    return found


def _identity(folder: str) -> object:
    try:
        return (status := os.stat(folder)).st_dev, status.st_ino
    except OSError:
        return folder


def _links_in(folder: str) -> set[str]:
    try:
        return {entry.name for entry in os.scandir(folder) if entry.is_symlink()}
    except OSError:
        return set()


def find_files(root: Path, needed: Mapping[str, Sequence[str]], owner: str, source: str) -> dict[str, Path]:
    """Finds the files of a data set.

    Args:
        root: Folder of the data set.
        needed: Per file or folder, the places relative to `root` where it may lie; may be patterns with `*`.
        owner: Name of the data set, for the message.
        source: Where to get it, for the message.

    Raises:
        DatasetNotFoundError: Something is missing; the message lists all that was looked for.
    """
    found = {
        name: next((path for place in places for path in sorted(root.glob(place))), None)
        for name, places in needed.items()
    }
    missing = [needed[name][0] for name, path in found.items() if path is None]
    if missing:
        raise DatasetNotFoundError(
            f"{owner} not found: {root.absolute()} has no {', no '.join(missing)}. "
            f"Get them from {source} and unpack them there, or give the folder that holds them with data.root=FOLDER."
        )
    return {name: path for name, path in found.items() if path is not None}
