"""Reads tables that are no CSV file as text: Parquet, Excel and JSON lines."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pandas as pd

from lightning_imbal.errors import UserError


def _parquet(path: Path) -> pd.DataFrame:
    return pd.read_parquet(path, dtype_backend="numpy_nullable")  # keeps whole numbers whole where some are missing


def _excel(path: Path) -> pd.DataFrame:
    import_module("openpyxl")  # which pandas reads with
    return pd.read_excel(path, dtype=str, keep_default_na=False, na_values=[""])


def _json_lines(path: Path) -> pd.DataFrame:
    return pd.read_json(path, lines=True, dtype=False, convert_dates=False)


FORMATS: dict[str, Callable[[Path], pd.DataFrame]] = {
    ".parquet": _parquet,
    ".xlsx": _excel,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
}
TABLES = (".csv", ".tsv", ".csv.gz", ".tsv.gz", *FORMATS)


def is_table(name: str) -> bool:
    """Whether a file is one that labels can be read from, by its ending."""
    return name.lower().endswith(TABLES)


def reads(path: Path) -> bool:
    """Whether a file is one of these formats, by its ending."""
    return path.suffix.lower() in FORMATS


def read_as_text(path: Path) -> pd.DataFrame:
    """All columns of a table as text; what is empty is missing.

    Raises:
        FileNotFoundError: There is no such file.
        UserError: It cannot be read, or what reads it is not installed.
    """
    try:
        table = FORMATS[path.suffix.lower()](path)
    except FileNotFoundError:
        raise
    except ImportError as error:
        raise UserError(f"{path} needs openpyxl: pip install 'lightning_imbal[excel]', or save it as CSV.") from error
    except Exception as error:  # each of the libraries has kinds of its own
        reason = " ".join(str(error).split())
        raise UserError(f"{path} cannot be read as {path.suffix[1:]} ({reason}): save it as CSV.") from error
    text = table.astype(object).where(table.notna(), None).map(_text, na_action="ignore")
    return text.set_axis(table.columns.map(str), axis=1)


def _text(value: object) -> str | None:
    whole = isinstance(value, float) and value.is_integer()
    return (str(int(value)) if whole else str(value)) or None  # type: ignore[call-overload]  # it is a float
