"""Reads label files, with one sentence for whatever is wrong with them."""

from collections.abc import Collection, Hashable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lightning_imbal.errors import DatasetNotFoundError, UserError
from lightning_imbal.wording import did_you_mean


def read_columns(
    path: str | Path, columns: Sequence[str], optional: Collection[str] = (), **options: Any
) -> pd.DataFrame:
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
            hint = did_you_mean(missing[0], header, show=repr)
            raise UserError(
                f"{path} has no column {' and no column '.join(map(repr, missing))}"
                f"{f' ({hint})' if hint else ''}, only "
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
