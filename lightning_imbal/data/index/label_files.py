"""Reads label files, with one sentence for whatever is wrong with them."""

import csv
import zlib
from collections.abc import Collection, Hashable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from lightning.pytorch.utilities import rank_zero_info

from lightning_imbal.data.index.csv_text import CSVText, open_csv
from lightning_imbal.data.index.table_formats import read_as_text, reads
from lightning_imbal.errors import DatasetNotFoundError, UserError
from lightning_imbal.experiment_files import beside
from lightning_imbal.wording import did_you_mean

BEYOND = "\0"  # the cells of rows that are longer than the header, which pandas would take for an index


def read_columns(
    path: str | Path, columns: Sequence[str], optional: Collection[str] = (), sep: str | None = None, **options: Any
) -> pd.DataFrame:
    """Reads some columns of a CSV file, and says so if it is not UTF-8 with commas.

    Args:
        path: The file; may be compressed (`.gz`). Of Parquet, Excel and JSON lines, all cells are text.
        columns: Names of the columns to read.
        optional: Names of columns to read where the file has them.
        sep: What separates its cells; None is the one of comma, semicolon and tab that gives it these columns.
        **options: Further arguments of `pandas.read_csv`.

    Raises:
        UserError: The file is absent, no CSV, has no row, not these columns, one of them twice, or a row with more
            cells than columns.
    """
    with _read_errors(path):
        if reads(Path(path)):
            table = read_as_text(Path(path))
            return _with_rows(table[_wanted(list(table), columns, optional, path)], path)
        file = open_csv(Path(path), columns, sep)
        wanted = _wanted(file.header, columns, optional, path)
        table = _with_rows(_read(file, wanted, options), path)
    longer = table.pop(BEYOND).notna().to_numpy()
    if longer.any():
        row = int(longer.argmax())
        raise UserError(
            f"{path} has more cells in line {file.line + row} ({table.iloc[row, 0]}) than the {len(file.header)} of "
            "its header: mend the line, or put text that holds the separator into quotes."
        )
    if file.unusual:
        rank_zero_info(f"{path} was read {file.unusual}.")
    return table


def read_header(path: str | Path) -> list[str]:
    """The names of the columns of a label file.

    Raises:
        UserError: The file is absent or cannot be read.
    """
    with _read_errors(path):
        return list(read_as_text(Path(path))) if reads(Path(path)) else open_csv(Path(path), (), None).header


@contextmanager
def _read_errors(path: str | Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        mend = beside(path) or "give the path of an existing CSV file."
        raise DatasetNotFoundError(f"There is no file {path}: {mend}") from error
    except (pd.errors.ParserError, csv.Error, EOFError, zlib.error, OSError) as error:
        raise UserError(f"{path} cannot be read as CSV ({' '.join(str(error).split())}): mend the file.") from error


def _with_rows(table: pd.DataFrame, path: str | Path) -> pd.DataFrame:
    if table.empty:
        raise UserError(f"{path} has no rows: give a file with one row per image.")
    return table


def _wanted(header: list[str], columns: Sequence[str], optional: Collection[str], path: str | Path) -> list[str]:
    """The names of the columns to read, none of which the header has twice."""
    if not header:
        raise UserError(f"{path} cannot be read as CSV (it is empty): give a file with one row per image.")
    if missing := [name for name in columns if name not in header]:
        hint = did_you_mean(missing[0], header, show=repr)
        raise UserError(
            f"{path} has no column {' and no column '.join(map(repr, missing))}"
            f"{f' ({hint})' if hint else ''}, only "
            f"{', '.join(map(repr, header))}: rename its columns, or give the file that has them."
        )
    wanted = [*columns, *(name for name in optional if name in header)]
    if twice := [name for name in wanted if header.count(name) > 1]:
        raise UserError(f"{path} has the column {twice[0]!r} twice in its first line: rename or remove one of them.")
    return wanted


def _read(file: CSVText, wanted: Sequence[str], options: dict[str, Any]) -> pd.DataFrame:
    """The wanted columns, and BEYOND: what rows have after the last column."""
    names = [name if name in wanted else f"{BEYOND}{number}" for number, name in enumerate(file.header)]
    # Without a first line of so many cells, pandas accepts no name for cells that no row may have.
    lines = BytesIO(b"".join((file.separator.encode() * len(names), b"\n", file.rows)))
    reading: dict[str, Any] = {"header": 0, "names": [*names, BEYOND], "usecols": [*wanted, BEYOND]}
    kinds = options.pop("dtype", {})
    kinds = kinds if isinstance(kinds, dict) else dict.fromkeys(wanted, kinds)
    # Of a column that is nearly always empty, categories take the least time.
    return pd.read_csv(lines, sep=file.separator, dtype=kinds | {BEYOND: "category"}, **reading, **options)


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
