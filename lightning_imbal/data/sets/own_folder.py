"""The user's own images, sorted into one folder per class."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from lightning.pytorch.utilities import rank_zero_info

from lightning_imbal.data.look.class_folders import class_files, class_folder
from lightning_imbal.data.look.right_root import no_classes, right_root
from lightning_imbal.data.sets.own_images import OwnImages
from lightning_imbal.data.splits.holdout import Holdout
from lightning_imbal.data.splits.official import Official
from lightning_imbal.data.splits.part_folders import find_parts, tell_what_is_left_out
from lightning_imbal.errors import UserError
from lightning_imbal.wording import number_of


class FolderData(OwnImages):
    """Images sorted into one folder per class, below `root` or below `root/train`, `root/val` and `root/test`.

    Folders of parts may be called otherwise, such as Training, valid or TEST. The default split is a stratified 7:1:2
    holdout; if there is a folder of training images it is that of the folders, and a tenth of the training images are
    for validation if there is no folder for that. Folders that are hidden, hold no picture, hold runs or are left
    behind by a computer, such as `__MACOSX`, are no classes.

    Args:
        root: Folder of the folders. The names of the classes are those of the folders, in alphabetical order.
        class_level: Which of the folders on the way to a picture is that of its class: the first below `root`, or below
            the folder of a part, the second of `patient/class/picture`, or counted from the picture with -1.
        **kwargs: Arguments of `OwnImages` and `ImbalDataModule`.
    """

    counted = "image"

    def __init__(self, root: str, class_level: int = 1, **kwargs: Any) -> None:
        place = Path(root).expanduser()
        self.part_folders = find_parts(place) if place.is_dir() else {}  # to predict, it need not be there
        self.default_split = Official(val=0.1) if self.part_folders else Holdout(test=0.2, val=0.1)
        super().__init__(root=root, **kwargs)
        if class_level == 0:
            raise UserError("data.class_level is 0: give 1 for the first folder below root, or -1 for the last one.")
        self.class_level = class_level

    @property
    def source(self) -> Path:
        return self.root.absolute()

    def read_rows(self) -> pd.DataFrame:
        tell_what_is_left_out(self.root, self.part_folders)
        rows, outside = [], []
        no_class: dict[str, str] = {}
        for part, place in (self.part_folders or {"": self.root}).items():
            before = f"{place.relative_to(self.root).as_posix()}/" if part else ""
            files, ignored = class_files(place)
            no_class |= {before + folder: why for folder, why in ignored.items()}
            for file in files:
                if (label := class_folder(file, self.class_level)) is None:
                    outside.append(before + file)
                else:
                    rows.append((before + file, label, part))
        if len({label for _, label, _ in rows}) < 2 and (not rows or right_root(self.root) is not None):
            raise no_classes(self.root)
        _tell(self.root, no_class, outside)
        table = pd.DataFrame(rows, columns=["image", "label", "official"], dtype=object)
        table.insert(1, "path", self.root.as_posix() + "/" + table["image"])
        table["file"] = table["image"]
        return table if self.part_folders else table.drop(columns="official")


def _tell(root: Path, no_class: Mapping[str, str], outside: Sequence[str]) -> None:
    """Says which folders are no classes, and which pictures lie in none."""
    if no_class:
        why = {reason: [folder for folder in no_class if no_class[folder] == reason] for reason in no_class.values()}
        told = "; ".join(f"{', '.join(folders)} ({reason})" for reason, folders in why.items())
        rank_zero_info(f"{root}: no classes are {told}.")
    if outside:
        rank_zero_info(
            f"{root}: {number_of(len(outside), 'picture')} in no folder of a class, such as {outside[0]}: left out."
        )
