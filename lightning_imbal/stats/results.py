"""What the finished runs of a table found, beside what the paper prints: computed from the run folders alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pandas as pd

from lightning_imbal.runs.attributes import NO_EDGES, Edges
from lightning_imbal.runs.run import Run
from lightning_imbal.stats.column_difference import gaps
from lightning_imbal.stats.column_scores import CLASS_COLUMNS, Block, Winner
from lightning_imbal.stats.compared import Compared
from lightning_imbal.stats.floor_scores import floor_cells, floor_classes
from lightning_imbal.stats.group_scores import COLUMNS as ONCE_COLUMNS
from lightning_imbal.stats.group_scores import group_scores_of
from lightning_imbal.stats.notes import notes_of
from lightning_imbal.stats.rank_agreement import agreements
from lightning_imbal.stats.subgroups import Subgroups, subgroups_of
from lightning_imbal.tables.cell import Cell
from lightning_imbal.tables.read import KEYS, published_numbers
from lightning_imbal.tables.spec import Column, Spec

COLUMNS = [
    *(*KEYS, "quoted", "published", "published_std", "value", "std", "low", "high", "difference"),
    *("calibrated", "baseline", "p_value", "p_holm", "mcnemar", "mcnemar_holm", "best", "p_best"),
    *("floor", "p_floor", "learned", "remark"),
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
            for its being chosen (range test); `p_floor` for its macro F1 being above the better floor, also corrected
            for the number of rows, a `remark` on runs that are not, or have one answer only, and whether the row has
            `learned` anything as far as is known: one that has not is compared with no other; `runs` of `planned`,
            which make so many `rounds`: folds of one cross-validation are one; `units` that were resampled, and where
            the runs are from: `networks`, `seeds`, `folders`, `commits`, `versions`; mean `seconds` of a run, without a
            first stage that is taken from another. NaN where nothing was run.
        classes: One row per row, data set, backbone and class: `train_images`, `images`, `runs`, and `f1` and `recall`,
            each with `_std`, `_low` and `_high`.
        notes: What a reader must know.
        gaps: How far the first column of `Spec.gap` is above the second, as `stats.column_difference.gaps` has it.
        rankings: Whether the two columns of `Spec.rankings` put the rows in the same order, as
            `stats.rank_agreement.agreements` has it.
        runs: The finished runs of every row, by the title of the column.
        compared: The scores of every row with predictions on the same resamples, by the title of the column.
        winners: The best row of each metric, beside the baseline, by the titles of column and metric.
        floors: Cells of what needs no training (`floor` is true); none if no row has predictions.
        floor_classes: Its classes.
        groups_once: The scores in which each group of images counts once, as `stats.group_scores` has them; none if no
            group of several images is known.
        subgroups: Of the test images, by the title of the column; none where nothing is known of the images.
    """

    spec: Spec
    overlays: list[str]
    cells: pd.DataFrame
    classes: pd.DataFrame
    notes: list[str]
    gaps: pd.DataFrame = field(default_factory=pd.DataFrame)
    rankings: pd.DataFrame = field(default_factory=pd.DataFrame)
    runs: dict[str, dict[str, list[Run]]] = field(default_factory=dict)
    compared: dict[str, Compared] = field(default_factory=dict)
    winners: dict[tuple[str, str], Winner] = field(default_factory=dict)
    floors: pd.DataFrame = field(default_factory=partial(pd.DataFrame, columns=COLUMNS))
    floor_classes: pd.DataFrame = field(default_factory=partial(pd.DataFrame, columns=CLASS_COLUMNS))
    groups_once: pd.DataFrame = field(default_factory=partial(pd.DataFrame, columns=ONCE_COLUMNS))
    subgroups: dict[str, Subgroups] = field(default_factory=dict)


def collect(
    spec: Spec, cells: Sequence[Cell], overlays: Sequence[str], folder: Path, baseline: str, edges: Edges = NO_EDGES
) -> Results:
    """Reads the results of every finished run of a table.

    Args:
        spec: The table.
        cells: Its runs.
        overlays: Names of the configurations over those of all runs.
        folder: That of all runs.
        baseline: Row that the others are tested against.
        edges: At which subgroups of numbers end, by the name of what is known of the images.

    Raises:
        UserError: The table asks for what is no score, or for that of a class or group which a run does not have; or
            edges are given for what is not known of the images, or is no number.
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
    of_floors = [floor_classes(block, of_block) for block, of_block in zip(blocks, classes, strict=True)]
    floors = pd.concat([floor_cells(block) for block in blocks], ignore_index=True).reindex(columns=COLUMNS)
    if floors["value"].isna().all():
        floors = floors[:0]
    runs = {block.column.title: block.done for block in blocks}
    compared = {block.column.title: block.compared for block in blocks}
    winners = {
        (block.column.title, name): winner
        for block in blocks
        for name, metric in spec.metrics.items()
        if metric.mark and (winner := block.winner(metric.score))
    }
    groups_once = group_scores_of(blocks)
    notes = notes_of(table, overlays, baseline, spec, blocks, winners)
    return Results(
        spec,
        list(overlays),
        table[COLUMNS],
        _joined(classes),
        notes,
        gaps(spec, blocks, table),
        agreements(spec, blocks),
        runs,
        compared,
        winners,
        floors,
        _joined(of_floors)[: None if len(floors) else 0],
        groups_once,
        {block.column.title: of_block for block in blocks if (of_block := _subgroups(block, edges))},
    )


def ranked(results: Results) -> Results:
    """The same results with the rows in the order of their first metric, best first.

    Behind them are those that learned nothing, and at last what was not run; as it is if no row has learned anything.
    """
    cells = results.cells[results.cells["metric"] == next(iter(results.spec.metrics))]
    run = cells[cells["runs"] > 0]
    if len(run) and not run["learned"].any():
        return results
    order = cells.sort_values(["learned", "value"], ascending=False, kind="stable")["row"].tolist()
    spec = replace(results.spec, rows={name: results.spec.rows[name] for name in order})

    tables = {
        what: table.sort_values("row", key=lambda names: names.map(order.index), kind="stable", ignore_index=True)
        for what in ("cells", "classes", "groups_once")
        for table in [getattr(results, what)]
    }
    runs = {title: {name: of_row[name] for name in order} for title, of_row in results.runs.items()}
    return replace(results, spec=spec, runs=runs, **tables)


def full_title(results: Results) -> str:
    """Title of the table, and what its runs have over the paper's protocol."""
    return results.spec.title + (f" (with {', '.join(results.overlays)})" if results.overlays else "")


def cells_of(results: Results, column: Column) -> pd.DataFrame:
    """The cells of a column of the specification."""
    return _of(results.cells, column)


def groups_once_of(results: Results, column: Column) -> pd.DataFrame:
    """The scores of a column of the specification in which each group of images counts once."""
    return _of(results.groups_once, column)


def floors_of(results: Results, column: Column, classes: bool = False) -> pd.DataFrame:
    """The cells, or classes, of what needs no training in a column of the specification."""
    return _of(results.floor_classes if classes else results.floors, column)


def learned_rows(results: Results, column: Column) -> list[str]:
    """The rows of a column of the specification that have learned anything, as far as is known."""
    cells = cells_of(results, column)
    return names_of(cells[cells["learned"]])


def names_of(table: pd.DataFrame) -> list[str]:
    """The rows that a table has, in its own order."""
    return list(dict.fromkeys(table["row"]))


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


def _subgroups(block: Block, edges: Edges) -> Subgroups | None:
    rounds = {name: row.rounds for name, row in block.compared.rows.items()}
    return subgroups_of(rounds, edges, block.spec.average, block.spec.scale) if rounds else None


def _joined(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One after the other; an empty one would make objects of the others' numbers."""
    return pd.concat([table for table in tables if len(table)] or list(tables), ignore_index=True)


def _of(table: pd.DataFrame, column: Column) -> pd.DataFrame:
    return table[(table["dataset"] == column.dataset) & (table["backbone"] == column.backbone)]
