"""One run in a table: its row, its column, and which repetition it is."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lightning_imbal.tables.spec import Column
from lightning_imbal.wording import fold_text


class Maker(Protocol):
    """What makes the results of a cell, such as a job: its command line, and where a record of it is kept."""

    @property
    def arguments(self) -> tuple[str, ...]: ...

    @property
    def record(self) -> Path: ...


@dataclass(frozen=True, eq=False)
class Cell:
    """One run of a row and a column.

    Args:
        row: Name of the row.
        column: The column.
        repeat: Its seed or fold, such as `seed 0`.
        job: Makes the results; None where they are only read.
        folder: Where they are read.
    """

    row: str
    column: Column
    repeat: str
    job: Maker | None
    folder: Path

    @property
    def title(self) -> str:
        """The same as `repeat` for people, who count from one: `seed 0`, or `fold 1 of 3`."""
        kind, number = self.repeat.split()
        return repeat_title(kind, int(number), self.column)


def repeat_title(kind: str, number: int, column: Column) -> str:
    """A repeat of a column, for people.

    Args:
        kind: `seed` or `fold`.
        number: Which one, from 0.
        column: The column.
    """
    if kind == "fold" and column.folds:
        return fold_text(number, max([len(column.folds), *(fold + 1 for fold in column.folds)]))
    return f"{kind} {number}"
