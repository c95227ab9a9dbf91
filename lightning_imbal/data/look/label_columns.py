"""Finds the columns of a label file that hold the images and the labels, where they are not called so."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from lightning.pytorch.utilities import rank_zero_info

from lightning_imbal.data.index.by_name import without_ending
from lightning_imbal.data.index.label_files import read_columns, read_header, stripped
from lightning_imbal.data.index.listing import pictures_in
from lightning_imbal.data.look.columns import IMAGE_COLUMNS, LABEL_COLUMNS, OF_LABELS, columns_called, one_hot_columns
from lightning_imbal.errors import UserError

TEXT: dict[str, Any] = {"dtype": str, "keep_default_na": False, "na_values": [""]}  # only an empty cell is missing
TRIED, FOUND = 50, 0.9  # of so many names, that share must be pictures
FEWEST = 0.1  # names per row: a picture may have a row for each finding


def image_column(path: Path, given: str, taken: Collection[str], root: Path) -> str:
    """The column of the images: the given one or, if there is no `image`, the only one that fits; says which.

    Args:
        path: The label file.
        given: What the user calls it, or `image`.
        taken: Columns with something else in them.
        root: Folder of the images, which decides between several.

    Raises:
        UserError: Several fit.
    """
    header = read_header(path)
    if given in header or given != "image":
        return given
    free = [column for column in header if column not in taken]
    called = columns_called(free, IMAGE_COLUMNS)
    fitting = called if len(called) == 1 else columns_of_pictures(path, called or free, root)
    return _only(path, fitting, "image", "images") or given


def label_columns(path: Path, given: str | list[str], taken: Collection[str]) -> str | list[str]:
    """The column of the labels, as `image_column`, or the columns of 0 and 1 that are the classes."""
    header = read_header(path)
    if given in header or given != "label":
        return given
    free = [column for column in header if column not in taken]
    if called := columns_called(free, LABEL_COLUMNS, OF_LABELS):
        return _only(path, called, "label", "labels") or given
    if classes := one_hot_columns(read_columns(path, free, **TEXT)):
        rank_zero_info(f"{path}: the classes are its columns {', '.join(classes)}.")
        return classes
    return given


def columns_of(path: Path) -> list[str]:
    """The columns of a label file that have a name of their own."""
    header = read_header(path)
    return [name for name in header if name and header.count(name) == 1]


def further_columns(file: Path, key: str, image: pd.Series, used: Mapping[str, str]) -> pd.DataFrame:
    """What a file says of every image beside what is used of it, as text.

    Args:
        file: With a row for each image.
        key: Its column of the images.
        image: Id of every image.
        used: Columns to leave out.
    """
    free = [name for name in columns_of(file) if name != key and name not in used]
    table = stripped(read_columns(file, [key, *free], **TEXT)).drop_duplicates(key).set_index(key)
    return table.reindex(image).reset_index(drop=True)


def columns_of_pictures(path: Path, columns: Sequence[str], root: Path) -> list[str]:
    """The columns that name pictures below a folder, most of which are there."""
    stems = stems_of(pictures_in(root)) if root.is_dir() else set()
    table = read_columns(path, columns, **TEXT)
    return [column for column in columns if names_pictures(table[column], stems)]


def stems_of(files: Iterable[str]) -> set[str]:
    """The names of files without folder and ending, in small letters."""
    return {without_ending(file.rpartition("/")[2]).lower() for file in files}


def names_pictures(values: pd.Series, stems: Collection[str]) -> bool:
    """Whether a column names pictures, by the first of its values, and rarely one of them several times."""
    names = values.dropna().drop_duplicates()
    found = [stem in stems for stem in stems_of(names[:TRIED])]
    return len(names) > max(1, FEWEST * len(values)) and sum(found) >= FOUND * len(found)


def _only(path: Path, fitting: Sequence[str], option: str, what: str) -> str | None:
    if len(fitting) > 1:
        raise UserError(
            f"{path} has several columns that may be the {what}, {', '.join(fitting)}: name one with "
            f"data.{option}_column={fitting[0]}."
        )
    if fitting:
        rank_zero_info(f"{path}: the {what} are in its column {fitting[0]!r}.")
    return fitting[0] if fitting else None
