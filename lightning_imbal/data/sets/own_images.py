"""What the user's own images have in common: which are used, what their classes are, what belongs together."""

from abc import abstractmethod
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd

from lightning_imbal.data.base import ImbalDataModule
from lightning_imbal.data.index.dicom_headers import dicom_groups
from lightning_imbal.data.index.spellings import Written
from lightning_imbal.data.look.group_pattern import group_word, known_groups
from lightning_imbal.data.look.right_root import check_root
from lightning_imbal.data.look.selection import Selection
from lightning_imbal.errors import UserError, refuse_below
from lightning_imbal.runs.title import folder_name


class OwnImages(ImbalDataModule):
    """The user's own images. A child says where their labels are.

    Args:
        root: Folder of the images.
        exclude: Patterns of pictures to leave out: `*_mask*` is compared with the name of a file, `**/masks/*` with its
            path below `root`, and `*` is any text. Pictures that look like the mask of another one are refused as long
            as they are not left out; an empty list keeps them.
        classes: The classes to keep, in the order in which they are reported; None takes all, sorted, none of which may
            look like another. `0` or `yes` without quotes is the label that is written so.
        merge: Labels that make one class, by its name, such as `{DR: [mild, moderate]}`.
        min_images: Classes of fewer images are left out.
        group_pattern: Regular expression that finds in a path below `root` what must stay together: its bracket with a
            name, or else its first, such as `(?P<patient>\\d+)_(left|right)`. Also sets `group_by`.
        dicom_group: Attribute in the headers of DICOM pictures that says what must stay together, such as `PatientID`,
            in place of `group_pattern`. Also sets `group_by`.
        ordered: Whether the classes are grades, from low to high in the order of their numbers: reports then have the
            scores of an order.
        **kwargs: Arguments of `ImbalDataModule`.
    """

    counted: ClassVar[str]  # what a row is, in messages

    def __init__(
        self,
        root: str,
        exclude: str | list[str] | None = None,
        classes: list[Written] | None = None,
        merge: dict[str, list[Written]] | None = None,
        min_images: int = 1,
        group_pattern: str | None = None,
        dicom_group: str | None = None,
        ordered: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(root=root, **kwargs)
        refuse_below(1, min_images=min_images)
        patterns = [exclude] if isinstance(exclude, str) else exclude
        self.selection = Selection(patterns, merge or {}, classes, min_images)
        self.group_pattern, self.dicom_group, self.ordered = group_pattern, dicom_group, ordered
        if group_pattern is not None:
            self.group_name = group_word(group_pattern)
        if dicom_group is not None:
            if self.group_name is not None:
                raise UserError(
                    f"data.dicom_group={dicom_group} and {self.group_name!r} both say what stays together: give one of "
                    "data.dicom_group, data.group_pattern and data.group_column."
                )
            self.group_name = dicom_group
        self.group_by = self.group_by or self.group_name

    @property
    @abstractmethod
    def source(self) -> Path:
        """What has the labels, for messages."""

    @abstractmethod
    def read_rows(self) -> pd.DataFrame:
        """As `read_index`, but `label` is text, and `file` the path below `root`."""

    @cached_property
    def selected(self) -> tuple[pd.DataFrame, tuple[str, ...], list[str]]:
        """The rows that are used, the names of their classes, and sentences about what is not."""
        check_root(self.root)
        return self.selection(self.read_rows(), self.root, self.source, self.counted)

    @cached_property
    def class_names(self) -> tuple[str, ...]:  # type: ignore[override]  # not to be set
        """The names of the classes in the order of their numbers: numbers by size, text by the alphabet."""
        return self.selected[1]

    @property
    def title(self) -> str:
        return folder_name(self.root)

    @property
    def remarks(self) -> list[str]:
        return self.selected[2]

    def read_index(self) -> pd.DataFrame:
        rows, names, _ = self.selected
        index = rows.drop(columns="file").assign(label=rows["label"].map({name: i for i, name in enumerate(names)}))
        if self.group_pattern is not None:
            index["group"] = known_groups(rows["file"], self.group_pattern)
        if self.dicom_group is not None:
            index["group"] = dicom_groups(rows["path"], self.dicom_group)
        return index
