"""One run in a table: its row, its column, and which repetition it is."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lightning_imbal.tables.spec import Column


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
