"""Reads label files into an index, with one sentence for whatever is wrong with them."""

import os
from collections.abc import Collection, Hashable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import pandas as pd

from lightning_imbal.errors import DatasetNotFoundError, UserError

IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"}


def read_columns(path: str | Path, columns: Sequence[str], optional: Collection[str] = (), **options) -> pd.DataFrame:
    """Reads some columns of a CSV file.

    Args:
        path: The file; may be compressed (`.gz`).
        columns: Names of the columns to read.
        optional: Names of columns to read where the file has them.
        **options: Further arguments of `pandas.read_csv`.

    Raises:
        UserError: The file is absent, no CSV, has no row, or not these columns.
    """
    try:
        header = pd.read_csv(path, nrows=0, **{k: v for k, v in options.items() if k != "dtype"}).columns
        if missing := [name for name in columns if name not in header]:
            near = get_close_matches(missing[0], header, n=1)
            raise UserError(
                f"{path} has no column {' and no column '.join(map(repr, missing))}"
                f"{f' (did you mean {near[0]!r}?)' if near else ''}, only "
                f"{', '.join(map(repr, header))}: rename its columns, or give the file that has them."
            )
        wanted = [*columns, *(name for name in optional if name in header)]
        table = pd.read_csv(path, usecols=wanted, **options)
    except FileNotFoundError as error:
        raise DatasetNotFoundError(f"There is no file {path}: give the path of an existing CSV file.") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 text: save it as CSV with UTF-8 encoding.") from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError, OSError) as error:
        raise UserError(f"{path} cannot be read as CSV ({' '.join(str(error).split())}): mend the file.") from error
    if table.empty:
        raise UserError(f"{path} has no rows: give a file with one row per image.")
    return table


def stripped(table: pd.DataFrame) -> pd.DataFrame:
    """Text without the spaces around it; a cell of spaces is empty."""
    return table.apply(lambda cells: cells.str.strip()).mask(lambda cells: cells == "")


def label_numbers(values: pd.Series, classes: Sequence[Hashable], image: pd.Series, source: str | Path) -> np.ndarray:
    """Translates the labels of a file into class numbers.

    Args:
        values: Label of every image as the file gives it.
        classes: The labels in the order of the class numbers.
        image: Id of every image, for the message.
        source: The file, for the message.

    Raises:
        UserError: A label is empty or not in the list; the message names the first image that has one.
    """
    label = values.map({value: number for number, value in enumerate(classes)})
    if label.isna().any():
        first = int(label.isna().to_numpy().argmax())
        found = "no label" if pd.isna(values.iloc[first]) else f"the label {str(values.iloc[first])!r}"
        raise UserError(
            f"{source} gives {image.iloc[first]} {found} ({label.isna().sum()} such rows): "
            f"mend the file; the labels are {', '.join(map(str, classes))}."
        )
    return label.to_numpy(dtype=np.int64)


def absent_files(paths: pd.Series) -> pd.Series:
    """Marks the paths (folder/name) that do not exist, reading each folder once."""
    place = paths.str.rsplit("/", n=1, expand=True)
    absent = pd.Series(True, index=paths.index)
    for folder, names in place.groupby(0)[1]:
        if os.path.isdir(folder):
            present = set(os.listdir(folder))  # faster than isin on text
            absent[names.index] = [name not in present for name in names]
    return absent


def check_index(index: pd.DataFrame, class_names: Sequence[str], owner: str) -> None:
    """Refuses an index that names an image twice or a class that is not there.

    Raises:
        UserError: The message names the first such image.
    """
    if index.empty:
        raise UserError(f"{owner} has no images: look at its folder and label file.")
    if len(class_names) < 2:
        raise UserError(f"{owner} has only the class {class_names[0]}: give images of at least two classes.")
    twice = index["image"].duplicated()
    if twice.any():
        raise UserError(
            f"{owner} names the image {index['image'][twice.to_numpy()].iloc[0]} twice "
            f"({twice.sum()} such rows): keep one row per image."
        )
    outside = ~index["label"].between(0, len(class_names) - 1)
    if outside.any():
        row = index[outside].iloc[0]
        raise UserError(
            f"{owner} gives {row['image']} the label {row['label']}, but its {len(class_names)} classes are numbered "
            f"0 to {len(class_names) - 1}: mend the labels."
        )


def find_files(root: Path, needed: Mapping[str, Sequence[str]], owner: str, source: str) -> dict[str, Path]:
    """Finds the files of a data set.

    Args:
        root: Folder of the data set.
        needed: Per file or folder, the places relative to `root` where it may lie; may be patterns with `*`.
        owner: Name of the data set, for the message.
        source: Where to get it, for the message.

    Raises:
        DatasetNotFoundError: Something is missing; the message lists all that was looked for.
    """
    found = {
        name: next((path for place in places for path in sorted(root.glob(place))), None)
        for name, places in needed.items()
    }
    missing = [needed[name][0] for name, path in found.items() if path is None]
    if missing:
        raise DatasetNotFoundError(
            f"{owner} not found: {root.absolute()} has no {', no '.join(missing)}. "
            f"Get them from {source} and unpack them there, or give the folder that holds them with --data.root."
        )
    return found


def pictures_below(folder: str | Path) -> list[Path]:
    """All files below a folder that are pictures by their ending, without hidden ones, sorted."""
    files = Path(folder).expanduser().rglob("*")
    return sorted(f for f in files if f.suffix.lower() in IMAGE_SUFFIXES and not f.name.startswith("."))
