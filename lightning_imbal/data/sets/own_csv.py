"""The user's own images, named in a label file."""

from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from lightning_imbal.data.index.label_files import read_columns, read_header, stripped
from lightning_imbal.data.index.spellings import one_spelling
from lightning_imbal.data.look.columns import join_findings, labels_of_columns
from lightning_imbal.data.look.label_columns import TEXT, columns_of, image_column, label_columns
from lightning_imbal.data.look.named_pictures import locate
from lightning_imbal.data.sets.own_images import OwnImages
from lightning_imbal.data.splits.base import PART_CALLED, PARTS
from lightning_imbal.data.splits.holdout import Holdout
from lightning_imbal.data.splits.official import Official
from lightning_imbal.errors import DatasetNotFoundError, UserError
from lightning_imbal.experiment_files import beside


class CSVData(OwnImages):
    """Images named in a CSV file with their labels.

    The file may also be TSV, Parquet, Excel (with `pip install 'lightning_imbal[excel]'`) or JSON lines. The default
    split is a stratified 7:1:2 holdout; with `split_column` it is the file's own, and a tenth of its training images
    are for validation if it names none for that.

    Args:
        root: Folder of the images.
        labels: The CSV file, one row per image; a relative path is looked for here, then below `root`.
        image_column: Column with the image: its path below `root`, an absolute one or, with or without ending, the name
            of one picture anywhere below `root`. Where there is no `image`, a usual name for it is taken if one fits.
        label_column: Column with the label: any text or number; or the columns of the classes, of which one is 1 in
            every row. Where there is no `label`, a usual name for it is taken if one fits, else columns of 0 and 1.
        split_column: Column with the part of each image (train, val, test, or another word for one of them, such as
            training; empty: not used).
        group_column: Column with what must stay together (patient, lesion; empty: on its own); also sets `group_by`.
            What looks alike, such as P1 and p1, is one group.
        suffix: What the names in the file lack, such as `.jpg`.
        several_findings: What images with several labels are: refused, or `join`ed to a class for each set, `a|b`.
        **kwargs: Arguments of `OwnImages` and `ImbalDataModule`.
    """

    counted = "row"

    def __init__(
        self,
        root: str,
        labels: str,
        image_column: str = "image",
        label_column: str | list[str] = "label",
        split_column: str | None = None,
        group_column: str | None = None,
        suffix: str = "",
        several_findings: Literal["refuse", "join"] = "refuse",
        **kwargs: Any,
    ) -> None:
        self.default_split = Holdout(test=0.2, val=0.1) if split_column is None else Official(val=0.1)
        self.group_name = group_column
        super().__init__(root=root, **kwargs)
        if group_column is not None and self.group_pattern is not None:
            raise UserError("data.group_column and data.group_pattern both say what stays together: give one of them.")
        self.group_by = self.group_by or group_column
        self.labels, self.suffix, self.join = labels, suffix, several_findings == "join"
        self.image_column, self.label_column = image_column, label_column
        others = {"official": split_column, "group": group_column}
        self.other_columns = {name: column for name, column in others.items() if column is not None}

    @cached_property
    def columns(self) -> tuple[dict[str, str], str | list[str]]:
        """The column of each thing but the label, and that of the label, or those of the classes."""
        taken = list(self.other_columns.values())
        image = image_column(self.source, self.image_column, taken, self.root)
        label = label_columns(self.source, self.label_column, [*taken, image])
        named = {"image": image, **({"label": label} if isinstance(label, str) else {}), **self.other_columns}
        meaning = {column: name for name, column in named.items()}
        for name, column in named.items():
            if meaning[column] != name:
                raise UserError(
                    f"The column {column!r} of {self.labels} is to be the {name} and the {meaning[column]}: "
                    "name another column for one of them."
                )
        return {"image": image, **self.other_columns}, label

    @cached_property
    def file(self) -> pd.DataFrame:
        """The rows of the file as text, with the columns image, label and, if named, official and group."""
        columns, label = self.columns
        of_label = label if isinstance(label, list) else [label]
        table = stripped(read_columns(self.source, [*columns.values(), *of_label], **TEXT))
        file = table.rename(columns={column: name for name, column in columns.items()})
        if isinstance(label, list):
            file = file.drop(columns=label).assign(label=labels_of_columns(table[label], self.join, self.source))
        else:
            file = file.rename(columns={label: "label"})
        empty = file[["image", "label"]].isna().any(axis=1)
        if empty.any():
            raise UserError(
                f"{self.source} has no image or no label in line {empty.argmax() + 2}: mend or remove the line."
            )
        if "group" in file:
            file["group"] = one_spelling(file["group"], str(self.group_name), self.source)
        return join_findings(file, self.join, self.source)

    @cached_property
    def source(self) -> Path:
        """Where the CSV file is.

        Raises:
            DatasetNotFoundError: It is neither here nor below `root`.
        """
        given = Path(self.labels).expanduser()
        for file in (given, self.root / given):
            if file.is_file():
                return file
        nor = "" if given.is_absolute() else f", nor {self.root / given}"
        mend = beside(given) or beside(self.root / given) or "give the CSV file of the labels with data.labels=FILE."
        raise DatasetNotFoundError(f"There is no file {given}{nor}: {mend}")

    def used_columns(self) -> dict[str, str]:
        columns, label = self.columns
        of_label = label if isinstance(label, list) else [label]
        header = read_header(self.source)
        meaning = {"image": "the image", "official": "the part", "group": "what stays together"}
        used = {column: meaning[name] for name, column in columns.items()} | dict.fromkeys(of_label, "the label")
        return used | {name: "the name of two columns" for name in header if header.count(name) > 1}

    def unused_columns(self) -> pd.DataFrame:
        used = self.used_columns()
        free = [name for name in columns_of(self.source) if name not in used]
        table = stripped(read_columns(self.source, free, **TEXT)) if free else pd.DataFrame(index=self.file.index)
        return table.loc[self.selected[0].index].reset_index(drop=True)

    def read_rows(self) -> pd.DataFrame:
        file = self.file
        rows = file.join(locate(file["image"], self.root, self.suffix, self.selection.exclude or [], self.source))
        if "official" in file:
            official = file["official"].str.lower().map(PART_CALLED)
            known = official.notna() | file["official"].isna()
            if not known.all():
                raise UserError(
                    f"{self.source} puts {file['image'][~known].iloc[0]} into the part "
                    f"{file['official'][~known].iloc[0]!r}: the parts are {', '.join(PARTS)}, or nothing."
                )
            rows["official"] = official.fillna("")
        return rows
