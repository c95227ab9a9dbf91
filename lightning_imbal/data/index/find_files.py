"""Which files there are on the disk, and which are the same."""

import os
from pathlib import Path

import pandas as pd


def absent_files(paths: pd.Series) -> pd.Series:
    """Marks the paths (folder/name) that do not exist, reading each folder once."""
    places = [path.rpartition("/") for path in paths.tolist()]
    folders = {folder for folder, _, _ in places}
    present = {folder: set(os.listdir(folder)) if os.path.isdir(folder) else set() for folder in folders}
    return pd.Series([name not in present[folder] for folder, _, name in places], index=paths.index, dtype=bool)


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
