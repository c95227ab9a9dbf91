"""What the finished runs of a table found, beside what the paper prints: computed from the run folders alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from lightning_imbal.runs.run import Run
from lightning_imbal.stats.column_difference import gaps
from lightning_imbal.stats.column_scores import Block, Winner
from lightning_imbal.stats.compared import Compared
from lightning_imbal.stats.notes import notes_of
from lightning_imbal.tables.cell import Cell
from lightning_imbal.tables.read import KEYS, published_numbers
from lightning_imbal.tables.spec import Column, Spec

COLUMNS = [
    *(*KEYS, "quoted", "published", "published_std", "value", "std", "low", "high", "difference"),
    *("calibrated", "baseline", "p_value", "p_holm", "mcnemar", "mcnemar_holm", "best", "p_best"),
    *("runs", "rounds", "planned", "units", "networks", "seeds", "folders", "commits", "versions", "seconds"),
]


@dataclass(frozen=True)
class Results:
    """A table with its numbers.

    Args:
        spec: What was asked for.
        overlays: Names of the configurations over those of all runs.
        cells: One row per row, data set, backbone and metric: `published`, `published_std`, `quoted`; of the finished
            runs `value` (mean or median), `std` (ddof 0), `low` and `high` (95 % interval), `difference` to what is
            published; of a calibration error `calibrated`, what that of a calibrated network would not exceed;
            `p_value` (paired bootstrap) and `mcnemar` against `baseline` where it has the same seeds or folds, also
            corrected for the number of rows (`p_holm`, `mcnemar_holm`), and `p_best` against the `best` row, corrected
            for its being chosen (range test); `runs` of `planned`, which make so many `rounds`: folds of one
            cross-validation are one; `units` that were resampled, and where the runs are from: `networks`, `seeds`,
            `folders`, `commits`, `versions`; mean `seconds` of a run, without a first stage that is taken from another.
            NaN where nothing was run.
        classes: One row per row, data set, backbone and class: `train_images`, `images`, `runs`, and `f1` and `recall`,
            each with `_std`, `_low` and `_high`.
        notes: What a reader must know.
        gaps: How far the first column of `Spec.gap` is above the second, as `stats.column_difference.gaps` has it.
        runs: The finished runs of every row, by the title of the column.
        compared: The scores of every row with predictions on the same resamples, by the title of the column.
        winners: The best row of each metric, beside the baseline, by the titles of column and metric.
    """

    spec: Spec
    overlays: list[str]
    cells: pd.DataFrame
    classes: pd.DataFrame
    notes: list[str]
    gaps: pd.DataFrame = field(default_factory=pd.DataFrame)
    runs: dict[str, dict[str, list[Run]]] = field(default_factory=dict)
    compared: dict[str, Compared] = field(default_factory=dict)
    winners: dict[tuple[str, str], Winner] = field(default_factory=dict)


def collect(spec: Spec, cells: Sequence[Cell], overlays: Sequence[str], folder: Path, baseline: str) -> Results:
    """Reads the results of every finished run of a table.

    Args:
        spec: The table.
        cells: Its runs.
        overlays: Names of the configurations over those of all runs.
        folder: That of all runs.
        baseline: Row that the others are tested against.

    Raises:
        UserError: The table asks for what is no score, or for that of a class or group which a run does not have.
    """
    blocks = [
        Block(spec, column, [cell for cell in cells if cell.column is column], folder, baseline)
        for column in spec.columns
    ]
    table = pd.concat([block.cells() for block in blocks], ignore_index=True)
    numbers = published_numbers(spec).rename(columns={"value": "published", "std": "published_std"})
    table = table.merge(numbers, on=KEYS, how="left").astype({"published": float, "published_std": float})
    table["difference"] = table["value"] - table["published"]
    classes = [block.classes() for block in blocks]
    # An empty table would make objects of the others' numbers.
    classes = pd.concat([of_block for of_block in classes if len(of_block)] or classes, ignore_index=True)
    runs = {block.column.title: block.done for block in blocks}
    compared = {block.column.title: block.compared for block in blocks}
    winners = {
        (block.column.title, name): winner
        for block in blocks
        for name, metric in spec.metrics.items()
        if metric.mark and (winner := block.winner(metric.score))
    }
    notes = notes_of(table, overlays, baseline, spec, blocks, winners)
    return Results(
        spec, list(overlays), table[COLUMNS], classes, notes, gaps(spec, blocks, table), runs, compared, winners
    )


def ranked(results: Results) -> Results:
    """The same results with the rows in the order of their first metric, best first, and what was not run last."""
    cells = results.cells[results.cells["metric"] == next(iter(results.spec.metrics))]
    order = cells.sort_values("value", ascending=False, kind="stable")["row"].tolist()
    spec = replace(results.spec, rows={name: results.spec.rows[name] for name in order})

    tables = {
        what: table.sort_values("row", key=lambda names: names.map(order.index), kind="stable", ignore_index=True)
        for what, table in {"cells": results.cells, "classes": results.classes}.items()
    }
    runs = {title: {name: of_row[name] for name in order} for title, of_row in results.runs.items()}
    return replace(results, spec=spec, runs=runs, **tables)


def full_title(results: Results) -> str:
    """Title of the table, and what its runs have over the paper's protocol."""
    return results.spec.title + (f" (with {', '.join(results.overlays)})" if results.overlays else "")


def cells_of(results: Results, column: Column) -> pd.DataFrame:
    """The cells of a column of the specification."""
    return _of(results.cells, column)


def classes_of(results: Results, column: Column) -> pd.DataFrame:
    """The classes of the rows that were run, from most to fewest training images."""
    classes = _of(results.classes, column)
    order = {"by": "train_images", "ascending": False, "kind": "stable"}
    return classes[classes["runs"] > 0].sort_values(**order)


def class_counts(classes: pd.DataFrame) -> dict[str, int]:
    """Number of training images of every class, in the order of the classes in the table."""
    first = classes.drop_duplicates("class")
    return dict(zip(first["class"], first["train_images"].astype(int), strict=True))


def rows_of(table: pd.DataFrame, results: Results) -> list[str]:
    """The rows that a table has, in the order of the specification."""
    return [row for row in results.spec.rows if row in set(table["row"])]


def _of(table: pd.DataFrame, column: Column) -> pd.DataFrame:
    return table[(table["dataset"] == column.dataset) & (table["backbone"] == column.backbone)]
