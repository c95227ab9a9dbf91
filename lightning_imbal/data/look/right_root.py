"""Tells which folder was meant where the one that was given is a level too high or too low, or none."""

import os
from pathlib import Path

from lightning_imbal.data.index.listing import is_litter, is_picture, pictures_in, refuse_unnamed_dicom
from lightning_imbal.errors import DatasetNotFoundError
from lightning_imbal.experiment_files import beside

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".7z", ".rar", ".gz")


def is_archive(path: Path) -> bool:
    """Whether a file is an archive, by its ending."""
    return path.name.lower().endswith(ARCHIVES)


def check_root(root: Path) -> None:
    """Refuses a root that is no folder.

    Raises:
        DatasetNotFoundError: The message says what it is, or that it is not there.
    """
    if root.is_dir():
        return
    if not root.exists():
        mend = beside(root) or "give that of the images, data.root=FOLDER."
        raise DatasetNotFoundError(f"There is no folder {root}: {mend}")
    if is_archive(root):
        raise DatasetNotFoundError(f"{root} is an archive: unpack it, and give the folder with data.root=FOLDER.")
    raise DatasetNotFoundError(f"{root} is a file: give the folder of the images with data.root=FOLDER.")


def right_root(root: Path) -> Path | None:
    """The folder whose folders are classes or parts, if that is below or above the given one; None if it is neither."""
    pictures = pictures_in(root)
    depth = min((file.count("/") for file in pictures), default=0)
    folders = [file.split("/")[:-1] for file in pictures]
    common = os.path.commonprefix(folders) if folders else []
    if common and depth > len(common):
        return root.joinpath(*common)
    if pictures and depth == 0 and _lies_beside_others(root):
        return root.absolute().parent
    return None


def no_classes(root: Path) -> DatasetNotFoundError:
    """The refusal of a folder without folders of classes: it names the folder that was probably meant."""
    place = root.absolute()
    if (other := right_root(root)) is not None:
        where = f"are in {other}" if place in other.parents else f"are beside it, in {other}"
        return DatasetNotFoundError(f"{place} has no folders of classes, they {where}: give data.root={other}.")
    archives = [name for name in sorted(os.listdir(root)) if is_archive(root / name)]
    if not pictures_in(root):
        if archives:
            return DatasetNotFoundError(f"{place} has no pictures but the archive {archives[0]}: unpack it.")
        refuse_unnamed_dicom(root)
    return DatasetNotFoundError(
        f"{place} has no folders of classes: give with data.root=FOLDER one that holds one folder of images per class, "
        "or such folders below train, val and test."
    )


def _lies_beside_others(root: Path) -> bool:
    """Whether a folder beside this one holds pictures, too."""
    place = root.absolute()
    beside = [entry for entry in place.parent.iterdir() if entry.is_dir() and not is_litter(entry.name)]
    return any(any(map(is_picture, _names_in(entry))) for entry in beside if entry.name != place.name)


def _names_in(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:  # may not be read
        return []
