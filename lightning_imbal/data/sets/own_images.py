"""The user's own images: named in a CSV file, or sorted into one folder per class."""

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from lightning_imbal.data.base import ImbalDataModule
from lightning_imbal.data.index.label_files import label_numbers, read_columns, stripped
from lightning_imbal.data.index.listing import pictures_below
from lightning_imbal.data.index.spellings import Written, as_labels, one_spelling, refuse_look_alikes
from lightning_imbal.data.splits.base import PART_CALLED, PARTS
from lightning_imbal.data.splits.holdout import Holdout
from lightning_imbal.data.splits.official import Official
from lightning_imbal.data.splits.part_folders import find_parts, folders_in, tell_what_is_left_out
from lightning_imbal.errors import DatasetNotFoundError, UserError


class CSVData(ImbalDataModule):
    """Images named in a CSV file with their labels.

    The default split is a stratified 7:1:2 holdout; with `split_column` it is the file's own, and a tenth of its
    training images are for validation if it names none for that.

    Args:
        root: Folder of the images.
        labels: The CSV file, one row per image; a relative path is looked for here, then below `root`.
        image_column: Column with the image: its path below `root`, or an absolute one.
        label_column: Column with the label: any text or number.
        split_column: Column with the part of each image (train, val, test, or another word for one of them, such as
            training; empty: not used).
        group_column: Column with what must stay together (patient, lesion; empty: on its own); also sets `group_by`.
            What looks alike, such as P1 and p1, is one group.
        suffix: What the names in the file lack, such as `.jpg`.
        classes: The labels in the order in which classes are reported; None takes those of the file, sorted, none of
            which may look like another. `0` or `yes` without quotes is the label that is written so.
        **kwargs: Arguments of `ImbalDataModule`.
    """

    def __init__(
        self,
        root: str,
        labels: str,
        image_column: str = "image",
        label_column: str = "label",
        split_column: str | None = None,
        group_column: str | None = None,
        suffix: str = "",
        classes: list[Written] | None = None,
        **kwargs: Any,
    ) -> None:
        self.default_split = Holdout(test=0.2, val=0.1) if split_column is None else Official(val=0.1)
        self.group_name = group_column
        super().__init__(root=root, **kwargs)
        self.group_by = self.group_by or group_column
        self.labels, self.classes, self.suffix = labels, classes, suffix
        self.columns = {"image": image_column, "label": label_column, "official": split_column, "group": group_column}

    @cached_property
    def file(self) -> pd.DataFrame:
        """The rows of the CSV file as text, with the columns image, label and, if named, official and group."""
        names = {column: name for name, column in self.columns.items() if column is not None}
        for name, column in self.columns.items():
            if column is not None and names[column] != name:
                raise UserError(
                    f"The column {column!r} of {self.labels} is to be the {name} and the {names[column]}: "
                    "name another column for one of them."
                )
        # Only an empty cell is missing: a class may be called None or NA.
        text: dict[str, Any] = {"dtype": str, "keep_default_na": False, "na_values": [""]}
        file = stripped(read_columns(self.labels_file, list(names), **text).rename(columns=names))
        empty = file[["image", "label"]].isna().any(axis=1)
        if empty.any():
            raise UserError(
                f"{self.labels_file} has no image or no label in line {empty.argmax() + 2}: mend or remove the line."
            )
        if "group" in file:
            file["group"] = one_spelling(file["group"], str(self.group_name), self.labels_file)
        return file

    @cached_property
    def labels_file(self) -> Path:
        """Where the CSV file is.

        Raises:
            DatasetNotFoundError: It is neither here nor below `root`.
        """
        given = Path(self.labels).expanduser()
        for file in (given, self.root / given):
            if file.is_file():
                return file
        raise DatasetNotFoundError(
            f"There is no file {given}, nor {self.root / given}: give the CSV file of the labels with data.labels=FILE."
        )

    @cached_property
    def class_names(self) -> tuple[str, ...]:  # type: ignore[override]  # not to be set
        """The labels in the order of the class numbers: numbers by size, text by the alphabet."""
        if self.classes is not None:
            classes = as_labels(self.classes, self.file["label"].unique())
            if twice := [name for name in classes if classes.count(name) > 1]:
                raise UserError(f"data.classes names {twice[0]!r} twice: name each class once.")
            return tuple(classes)
        refuse_look_alikes(
            self.file["label"],
            self.labels_file,
            "row",
            "write each in one way, or, if they are different classes, list all classes with data.classes=[...]",
        )
        return _in_order(self.file["label"].unique())

    def read_index(self) -> pd.DataFrame:
        if not self.root.is_dir():
            raise DatasetNotFoundError(f"There is no folder {self.root}: give that of the images, data.root=FOLDER.")
        file = self.file
        index = file.assign(
            path=file["image"].where(file["image"].str.startswith("/"), str(self.root) + "/" + file["image"])
            + self.suffix,
            label=label_numbers(file["label"], self.class_names, file["image"], self.labels_file),
        )
        if "official" in file:
            official = file["official"].str.lower().map(PART_CALLED)
            known = official.notna() | file["official"].isna()
            if not known.all():
                raise UserError(
                    f"{self.labels_file} puts {file['image'][~known].iloc[0]} into the part "
                    f"{file['official'][~known].iloc[0]!r}: the parts are {', '.join(PARTS)}, or nothing."
                )
            index["official"] = official.fillna("")
        return index


class FolderData(ImbalDataModule):
    """Images sorted into one folder per class, below `root` or below `root/train`, `root/val` and `root/test`.

    Folders of parts may be called otherwise, such as Training, valid or TEST. The default split is a stratified 7:1:2
    holdout; if there is a folder of training images it is that of the folders, and a tenth of the training images are
    for validation if there is no folder for that.

    Args:
        root: Folder of the folders. The names of the classes are those of the folders, in alphabetical order.
        **kwargs: Arguments of `ImbalDataModule`.
    """

    def __init__(self, root: str, **kwargs: Any) -> None:
        place = Path(root).expanduser()
        self.part_folders = find_parts(place) if place.is_dir() else {}  # to predict, it need not be there
        self.default_split = Official(val=0.1) if self.part_folders else Holdout(test=0.2, val=0.1)
        super().__init__(root=root, **kwargs)

    @cached_property
    def folders(self) -> dict[str, list[Path]]:
        """The class folders of every part; without parts the key is empty."""
        return {part: folders_in(folder) for part, folder in (self.part_folders or {"": self.root}).items()}

    @cached_property
    def class_names(self) -> tuple[str, ...]:  # type: ignore[override]  # not to be set
        """Names of the class folders, of all parts together."""
        names = _in_order({folder.name for folders in self.folders.values() for folder in folders})
        if not names:
            raise DatasetNotFoundError(
                f"{self.root.absolute()} has no folders of classes: give with data.root=FOLDER one that holds one "
                "folder of images per class, or such folders below train, val and test."
            )
        return names

    def read_index(self) -> pd.DataFrame:
        tell_what_is_left_out(self.root, self.part_folders)
        number = {name: i for i, name in enumerate(self.class_names)}
        rows = [
            (file.relative_to(self.root).as_posix(), file.as_posix(), folder.name, part)
            for part, folders in self.folders.items()
            for folder in folders
            for file in pictures_below(folder)
        ]
        index = pd.DataFrame(rows, columns=["image", "path", "label", "official"])
        refuse_look_alikes(index["label"], self.root.absolute(), "image", "give the folders of a class one name")
        index["label"] = index["label"].map(number)
        return index if self.part_folders else index.drop(columns="official")


def _in_order(names: Iterable[str]) -> tuple[str, ...]:
    try:
        return tuple(sorted(names, key=float))
    except ValueError:
        return tuple(sorted(names))
