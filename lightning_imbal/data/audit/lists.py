"""Reads a split that is given as lists of images."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import pandas as pd

from lightning_imbal.data.index.by_name import find_by_name
from lightning_imbal.data.index.label_files import read_columns, read_header, stripped
from lightning_imbal.data.index.listing import pictures_in
from lightning_imbal.data.look.columns import IMAGE_COLUMNS, SPLIT_COLUMNS, columns_called
from lightning_imbal.data.splits.base import PART_CALLED, PARTS
from lightning_imbal.errors import UserError

COLUMNS = ["image", "part", "class", "group", "path"]
CLASS_COLUMNS = ("class", "category", "label")
GROUP_COLUMNS = {"lesion_id": "lesion", "group": "group", "patient": "patient", "patient_id": "patient"}


def read_lists(
    train: str | None, val: str | None, test: str | None, groups: str | None = None, images: str | None = None
) -> pd.DataFrame:
    """Reads the lists of a split into an audit table.

    Args:
        train: CSV file with a column `image`, or a usual name for it, and, optionally, `class`, `category` or `label`;
            None if there is none. Of a file with a column such as `split`, the rows of this part; all its rows if it
            is the only file.
        val: The same for the validation part.
        test: The same for the test part.
        groups: CSV file with a column `image` and a column `lesion_id`, `group`, `patient` or `patient_id`; a missing
            value is an unknown group.
        images: Folder of the pictures, searched with its subfolders: an image's name in the lists is its path below
            the folder or its file name, with or without ending.

    Returns:
        One row per line of the lists: `image`, `part`, `class`, `group` and `path`, the last three missing where
        unknown. `attrs["group_name"]` says what a group is.

    Raises:
        UserError: A file cannot be used, there are fewer than two lists, or none of their images is in the groups file
            or in the folder.
    """
    files = {part: file for part, file in zip(PARTS, (train, val, test), strict=True) if file is not None}
    tables = {part: _read_list(file) for part, file in files.items()}
    if len(files) < 2 and not any("part" in table for table in tables.values()):
        raise UserError(
            "An audit compares the parts of a split: give at least two of train, val and test, or one file with a "
            "column 'split'."
        )
    if len(files) > 1:
        tables = {part: _rows_of(table, part).assign(part=part) for part, table in tables.items()}
    table = pd.concat(tables.values(), ignore_index=True).reindex(columns=COLUMNS)
    if groups is not None:
        group, table.attrs["group_name"] = _read_groups(groups)
        if not table["image"].isin(group.index).any():
            raise UserError(
                f"{groups} has none of the {len(table)} images of the lists (it has {group.index[0]}, they have "
                f"{table['image'].iloc[0]}): give the file of the same data set, with the same image names."
            )
        table["group"] = table["image"].map(group)
    if images is not None:
        table["path"] = _find_files(table["image"], images)
    return table


def _rows_of(table: pd.DataFrame, part: str) -> pd.DataFrame:
    return table[table["part"] == part] if "part" in table else table


def _read(file: str, columns: Collection[str], **options: Any) -> tuple[pd.DataFrame, str | None]:
    """Reads `image`, the first of some columns that is there, and `part`; returns that column's name too."""
    header = read_header(file)
    named = "image" if "image" in header else next(iter(columns_called(header, IMAGE_COLUMNS)), "image")
    column = next((name for name in columns if name in header), None)
    split = [name for name in columns_called(header, SPLIT_COLUMNS) if name not in (named, column)]
    wanted = [named, *([column] if column else []), *split[:1]]
    table = stripped(read_columns(file, wanted, dtype="str", index_col=False, **options))
    table = table.rename(columns={named: "image"})
    if split:
        part = table.pop(split[0]).str.lower().map(PART_CALLED)
        table = table.assign(part=part) if part.notna().all() else table
    empty = table["image"].isna().to_numpy()
    if empty.any():
        raise UserError(f"{file} has no image in row {empty.argmax() + 1}: mend or remove the row.")
    return table, column


def _read_list(file: str) -> pd.DataFrame:
    # Only an empty cell is missing: a class may be called None or NA.
    table, column = _read(file, CLASS_COLUMNS, keep_default_na=False, na_values=[""])
    return table.rename(columns={column: "class"})


def _read_groups(file: str) -> tuple[pd.Series, str]:
    """Group of every image, missing where unknown, and what a group is called."""
    table, column = _read(file, GROUP_COLUMNS)
    table = table.drop(columns="part", errors="ignore")
    if column is None:
        raise UserError(
            f"{file} has no column {', '.join(map(repr, GROUP_COLUMNS))}: "
            "rename the column that says what belongs together to 'group'."
        )
    table = table.drop_duplicates()
    twice = table["image"].duplicated()
    if twice.any():
        raise UserError(f"{file} puts {table['image'][twice].iloc[0]} into two groups: keep one row per image.")
    return table.set_index("image")[column], GROUP_COLUMNS[column]


def _find_files(image: pd.Series, folder: str) -> pd.Series:
    """Path of every image, missing where there is no such file; the most exact name counts."""
    root = Path(folder).expanduser()
    files = pictures_in(root)
    if not files:
        raise UserError(f"There are no pictures below {folder}: give the folder that holds those of the lists.")
    mend = f"give a folder that holds only one of them, or write paths below {root} into the lists"
    found = find_by_name(image, files, root, "the lists", mend)
    if found.isna().all():
        raise UserError(
            f"None of the {len(image)} images of the lists is below {folder} (there is {files[0]}, they name "
            f"{image.iloc[0]}): give the folder of the same data set."
        )
    return found.map(lambda file: str(root / file), na_action="ignore")
