"""The methods of a page and of its figures: rows of the table that were run, and which of many are drawn."""

from dataclasses import dataclass

from lightning_imbal.runs.run import Run
from lightning_imbal.stats.results import Results, classes_of, rows_of

MOST_DRAWN = 6


@dataclass(frozen=True)
class Method:
    """A row of the table that was run.

    Args:
        name: Of the row.
        number: Its place among the rows: sets colour, pattern and dash.
        runs: Its finished runs.
        shown: Whether it is drawn at first, where all methods share a chart.
    """

    name: str
    number: int
    runs: list[Run]
    shown: bool

    @property
    def visible(self) -> bool | str:
        """As plotly wants it."""
        return True if self.shown else "legendonly"


def methods_of(results: Results) -> list[Method]:
    """The rows that were run of a table with one column; of many, the baseline and the best by macro F1 are shown."""
    [column] = results.spec.columns
    rows = rows_of(classes_of(results, column), results)
    # The mean of the F1 of the classes; a table need not have a metric for it.
    f1 = results.classes.groupby("row")["f1"].mean()
    best = sorted(rows, key=lambda row: (row != results.cells["baseline"].iloc[0], -f1[row]))[:MOST_DRAWN]
    numbers = {name: number for number, name in enumerate(results.spec.rows)}
    return [Method(row, numbers[row], results.runs[column.title][row], row in best) for row in rows]
