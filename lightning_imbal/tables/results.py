"""What the finished runs of a table found, beside what the paper prints: computed from the run folders alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from lightning_imbal.tables.block import AND_RUNS, Block, Run
from lightning_imbal.tables.gap import gaps
from lightning_imbal.tables.plan import Cell
from lightning_imbal.tables.spec import KEYS, Spec, published_numbers

COLUMNS = [
    *(*KEYS, "quoted", "published", "published_std", "value", "std", "low", "high", "difference"),
    *("baseline", "p_value", "p_holm", "mcnemar", "mcnemar_holm", "best", "p_best", "p_best_holm", "runs", "planned"),
    *("units", "networks", "seeds", "folders", "commits", "versions", "seconds"),
]
SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Results:
    """A table with its numbers.

    Args:
        spec: What was asked for.
        overlays: Names of the configurations over those of all runs.
        cells: One row per row, data set, backbone and metric: `published`, `published_std`, `quoted`; of the finished
            runs `value` (mean or median), `std` (ddof 0), `low` and `high` (95 % bootstrap interval), `difference` to
            what is published; `p_value` (paired bootstrap) and `mcnemar` against `baseline` where it has the same seeds
            or folds, and `p_best` (paired bootstrap) against the `best` row, all also corrected for the number of rows
            (`p_holm`, `mcnemar_holm`, `p_best_holm`); `units` that were resampled, `runs` of `planned`, and where they
            are from: `networks`, `seeds`, `folders`, `commits`, `versions`; mean `seconds` of a run, without a first
            stage that is taken from another. NaN where nothing was run.
        classes: One row per row, data set, backbone and class: `train_images`, `images`, `runs`, and `f1` and `recall`,
            each with `_std`, `_low` and `_high`.
        notes: What a reader must know.
        gaps: How far the first column of `Spec.gap` is above the second, as `lightning_imbal.tables.gap.gaps` has it.
        runs: The finished runs of every row, by the title of the column.
        resampled: Averages of every row and score over its runs in each bootstrap resample, (R,), by the title of the
            column; the same resamples for all rows.
    """

    spec: Spec
    overlays: list[str]
    cells: pd.DataFrame
    classes: pd.DataFrame
    notes: list[str]
    gaps: pd.DataFrame = field(default_factory=pd.DataFrame)
    runs: dict[str, dict[str, list[Run]]] = field(default_factory=dict)
    resampled: dict[str, dict[str, dict[str, np.ndarray]]] = field(default_factory=dict)


def collect(spec: Spec, cells: Sequence[Cell], overlays: Sequence[str], folder: Path, baseline: str) -> Results:
    """Reads the results of every finished run of a table.

    Args:
        spec: The table.
        cells: Its runs.
        overlays: Names of the configurations over those of all runs.
        folder: That of all runs.
        baseline: Row that the others are tested against.

    Raises:
        UserError: A run lacks a score that the table asks for.
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
    resampled = {block.column.title: block.resampled for block in blocks}
    notes = _notes(table, overlays, baseline, spec)
    return Results(spec, list(overlays), table[COLUMNS], classes, notes, gaps(spec, blocks, table), runs, resampled)


def _notes(table: pd.DataFrame, overlays: Sequence[str], baseline: str, spec: Spec) -> list[str]:
    done = table[table["runs"] > 0]
    if done.empty:
        return []
    units = " and ".join(dict.fromkeys(text.removesuffix(AND_RUNS) for text in done["units"]))
    chances, of_training = "the choice of the test images explains", ", which leaves out the chance of training"
    if (seeds := done["units"].str.endswith(AND_RUNS)).any():
        chances = "the choice of the test images and the chance of training explain"
        of_training = f", and of the runs{'' if seeds.all() else ' where there are several seeds'}"
    notes = [
        f"Measured: {spec.average} ± standard deviation (ddof 0) over the runs; in brackets the 95 % interval of 2,000 "
        f"bootstrap resamples of the {units} of the test set{of_training}.",
    ]
    if done["p_value"].notna().any():
        notes.append(
            f"* differs from {baseline} by more than {chances}, at 5 % (paired bootstrap, Holm-corrected for the "
            "number of rows)."
        )
    notes += _ties(done, spec)
    if overlays:
        networks = origins(done, "networks")
        notes.append(
            f"All runs have {', '.join(overlays)} over the protocol: its own settings are others. "
            f"Network: {', '.join(networks)}."
        )
    for what in ("commits", "versions"):
        found = origins(done, what)
        if len(found) > 1:
            notes.append(f"The runs were made with several {what}: {'; '.join(found)}.")
    return notes


def _ties(done: pd.DataFrame, spec: Spec) -> list[str]:
    """Of each metric with marks, the rows that cannot be told from the best one, if others can."""
    found = []
    for column in spec.columns:
        of_column = done[(done["dataset"] == column.dataset) & (done["backbone"] == column.backbone)]
        for name, metric in spec.metrics.items():
            cells = of_column[of_column["metric"] == name].sort_values("value", ascending=metric.low_is_good)
            tied = "; ".join(cells["row"][cells["p_best_holm"] >= SIGNIFICANT])
            if metric.mark and tied and (cells["p_best_holm"] < SIGNIFICANT).any():
                best = f"{cells['best'].iloc[0]}, the best in {metric.title or name}"
                found.append(f"{column.title}: rows that cannot be told from {best}: {tied}.")
    return found


def origins(done: pd.DataFrame, what: str) -> list[str]:
    """What is told of the origin of finished cells, such as `commits`, every text once."""
    return sorted({text for of_cell in done[what] for text in of_cell.split("; ")})
