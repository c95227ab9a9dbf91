"""The pictures in folders of classes, and the folders that are none."""

import os
from itertools import islice
from pathlib import Path

from lightning_imbal.data.index.listing import is_litter, pictures_in
from lightning_imbal.runs.folder import holds_run

FEW = 5  # folders that are looked into, whether they are runs


def class_folder(file: str, level: int) -> str | None:
    """The folder of a path that names the class, see `FolderData`; None if the path has not so many."""
    folders = file.split("/")[:-1]
    return folders[level - (level > 0)] if len(folders) >= abs(level) else None


def class_files(place: Path) -> tuple[list[str], dict[str, str]]:
    """The pictures in the folders of classes, and the folders that are none with the reason."""
    files = pictures_in(place)
    folders = [entry.name for entry in sorted(place.iterdir()) if entry.is_dir()]
    below: dict[str, set[str]] = {}  # the folders and pictures in each
    for file in files:
        folder, _, rest = file.partition("/")
        below.setdefault(folder, set()).add(rest.partition("/")[0])
    ignored = {}
    for folder in folders:
        if is_litter(folder):
            ignored[folder] = "hidden or left behind by a computer"
        elif _holds_runs(place / folder):
            ignored[folder] = "of runs"
        elif folder not in below:
            ignored[folder] = "without pictures"
    classes = {*folders} - {*ignored}
    for folder in sorted(classes):
        others = classes - {folder}
        if len(others) > 1 and others <= below[folder]:
            ignored[folder] = "the others again"
    return [file for file in files if file.partition("/")[0] not in ignored], ignored


def _holds_runs(folder: Path) -> bool:
    below = (Path(entry.path) for entry in islice(os.scandir(folder), FEW) if entry.is_dir())
    return holds_run(folder) or any(map(holds_run, below))
