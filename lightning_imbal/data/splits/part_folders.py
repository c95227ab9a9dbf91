"""Finds the parts of a data set that come as folders: train, val and test, whatever they are called."""

from collections.abc import Mapping
from pathlib import Path

from lightning.pytorch.utilities import rank_zero_info

from lightning_imbal.data.index.listing import is_litter
from lightning_imbal.data.splits.base import PART_CALLED, PARTS
from lightning_imbal.errors import DatasetNotFoundError, UserError
from lightning_imbal.experiment_files import beside


def folders_in(folder: Path) -> list[Path]:
    """The folders in a folder, without hidden ones and what computers leave behind, sorted.

    Raises:
        DatasetNotFoundError: There is no such folder.
    """
    if not folder.is_dir():
        mend = beside(folder) or "give that of the images, data.root=FOLDER."
        raise DatasetNotFoundError(f"There is no folder {folder}: {mend}")
    return sorted(entry for entry in folder.iterdir() if entry.is_dir() and not is_litter(entry.name))


def find_parts(root: Path) -> dict[str, Path]:
    """The folder of each part, in the order of the parts; none if the folders below `root` are classes.

    A folder of that name is a part where there is one for training, or where it holds folders itself: a class may be
    called `test`.

    Raises:
        UserError: Two folders mean the same part, or there is none for training.
    """
    folders = folders_in(root)
    named = [folder for folder in folders if folder.name.lower() in PART_CALLED]
    parts: dict[str, Path] = {}
    for folder in named:
        part = PART_CALLED[folder.name.lower()]
        if part in parts:
            raise UserError(
                f"{root} has two folders for the {part} part, {parts[part].name} and {folder.name}: put their images "
                "into one of them, or give them other names."
            )
        parts[part] = folder
    if "train" not in parts:
        if not any(map(folders_in, named)) and len(named) < 2:
            return {}
        raise UserError(
            f"{root} has {' and '.join(folder.name for folder in named)}, but no folder of training images: call that "
            "folder train, or give with data.root=FOLDER the one that holds all parts."
        )
    return {part: parts[part] for part in PARTS if part in parts}


def tell_what_is_left_out(root: Path, parts: Mapping[str, Path]) -> None:
    """Names the folders that lie beside the parts."""
    if parts and (others := [folder.name for folder in folders_in(root) if folder not in parts.values()]):
        names = ", ".join(folder.name for folder in parts.values())
        rank_zero_info(f"{root}: images are taken from {names}; left out: {', '.join(others)}.")
