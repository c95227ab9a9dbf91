"""CSV files that do no harm in a spreadsheet, which runs a text that begins like a formula (OWASP, "CSV injection")."""

import csv
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

# Not a number; and what already has apostrophes, so that reading finds the text as it was.
FORMULA = re.compile(r"'*(?![-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\Z)[=+\-@\t\r\n]")


def to_csv(table: pd.DataFrame, file: Path | None = None, **options: Any) -> str:
    """Writes a table without its index, with an apostrophe before every text that a spreadsheet takes for a formula.

    Args:
        table: What to write.
        file: Where to; None returns the text.
        **options: Further arguments of `pandas.DataFrame.to_csv`.
    """
    safe = _with_texts(table, lambda text: f"'{text}" if FORMULA.match(text) else text)
    # Without quotes, a carriage return would begin a row, and after it another formula.
    returns = any("\r" in str(cell) for cells in _texts(safe).values() for cell in cells)
    quoting = csv.QUOTE_NONNUMERIC if returns else csv.QUOTE_MINIMAL
    return safe.to_csv(file, index=False, quoting=quoting, **options) or ""


def without_apostrophes(table: pd.DataFrame) -> pd.DataFrame:
    """A table as it was before `to_csv`."""
    return _with_texts(table, lambda text: text[1:] if text.startswith("'") and FORMULA.match(text) else text)


def _with_texts(table: pd.DataFrame, change: Callable[[str], str]) -> pd.DataFrame:
    texts = _texts(table)
    changed = {
        name: [change(cell) if isinstance(cell, str) else cell for cell in cells] for name, cells in texts.items()
    }
    return table.assign(**{name: cells for name, cells in changed.items() if cells != texts[name]})


def _texts(table: pd.DataFrame) -> dict[str, list[Any]]:
    """The columns that are no numbers, by their names."""
    return {str(name): cells.tolist() for name, cells in table.items() if not pd.api.types.is_numeric_dtype(cells)}
