"""The numbers of one column of a table: a protocol, all its rows, and their finished runs."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lightning_imbal.runs.folder import is_finished, read_record
from lightning_imbal.runs.run import Run
from lightning_imbal.stats.bootstrap import (
    are_seeds,
    holm,
    interval,
    mcnemar_p_value,
    paired_p_value,
    resampled_averages,
)
from lightning_imbal.tables.cell import Cell
from lightning_imbal.tables.spec import Column, Spec

CLASS_SCORES = ("f1", "recall")
STATISTICS = ("", "_std", "_low", "_high")
CLASS_COLUMNS = [
    *("row", "dataset", "backbone", "class", "train_images", "images", "runs"),
    *(f"{score}{what}" for score in CLASS_SCORES for what in STATISTICS),
]
AND_RUNS = " and runs"  # what is resampled beside the images, of rows with several seeds
CORRECTED = {"p_value": "p_holm", "p_best": "p_best_holm", "mcnemar": "mcnemar_holm"}


class Block:
    """One column of a table.

    Args:
        spec: The table.
        column: The column.
        cells: Its runs.
        runs: Folder of all runs.
        baseline: Row that the others are tested against.

    Attributes:
        cells_done: The cells of each row whose run is finished.
        done: Their runs.
        known: Predictions of the runs of each row of which all have some.
        resampled: Averages of each row and score in each bootstrap resample, (R,), for rows with predictions.

    Raises:
        UserError: The table asks for what is no score, or for that of a class or group which a run does not have.
    """

    def __init__(self, spec: Spec, column: Column, cells: Sequence[Cell], runs: Path, baseline: str) -> None:
        self.spec, self.column, self.runs, self.baseline = spec, column, runs, baseline
        self.planned = {name: sum(cell.row == name for cell in cells) for name in spec.rows}
        self.cells_done: dict[str, list[Cell]] = {name: [] for name in spec.rows}
        for cell in cells:
            if is_finished(cell.folder):
                self.cells_done[cell.row].append(cell)
        self.done = {
            name: [Run(cell.folder, cell.repeat) for cell in of_row] for name, of_row in self.cells_done.items()
        }
        self.class_names = next((run.class_names for of_row in self.done.values() for run in of_row), [])
        predictions = {
            name: [run.predictions for run in of_row if run.predictions is not None]
            for name, of_row in self.done.items()
        }
        self.known = {name: kept for name, kept in predictions.items() if kept and len(kept) == len(self.done[name])}
        keys = [metric.score for metric in spec.metrics.values()]
        for run in (run for of_row in self.done.values() for run in of_row):
            for key in keys:
                run.score(key)  # refuses what is no score
        keys += [f"{score}/{name}" for score in CLASS_SCORES for name in self.class_names]
        self.resampled = resampled_averages(self.known, keys, spec.average) if self.known else {}

    def cells(self) -> pd.DataFrame:
        """One row per row of the table and metric."""
        rows = []
        for name, row in self.spec.rows.items():
            about = self._place(name) | {"quoted": row.quoted, "baseline": self.baseline} | self._origin(name)
            about |= {"runs": len(self.done[name]), "planned": self.planned[name]}
            comparable = self._comparable(name, self.baseline)
            mcnemar = mcnemar_p_value(self.known[name], self.known[self.baseline]) if comparable else np.nan
            for metric, what in self.spec.metrics.items():
                tests = {"p_value": self._p_value(name, self.baseline, what.score), "mcnemar": mcnemar}
                rows.append(about | {"metric": metric} | self._measured(name, what.score) | tests)
        table = pd.concat([self._beside_best(cells) for _, cells in pd.DataFrame(rows).groupby("metric")]).sort_index()
        for raw, corrected in CORRECTED.items():
            table[corrected] = table.groupby("metric")[raw].transform(holm)
        return table

    def _beside_best(self, cells: pd.DataFrame) -> pd.DataFrame:
        """Adds to the cells of one metric the best row with predictions, `best`, and the p-values against it."""
        known = cells[cells["row"].isin(self.resampled) & cells["value"].notna()]
        if known.empty:
            return cells.assign(best="", p_best=np.nan)
        metric = self.spec.metrics[known["metric"].iloc[0]]
        values = known.set_index("row")["value"]
        best = values.idxmin() if metric.lower_is_better else values.idxmax()
        p_values = [self._p_value(name, best, metric.score) for name in cells["row"]]
        return cells.assign(best=best, p_best=p_values)

    def classes(self) -> pd.DataFrame:
        """One row per row of the table that was run, and class."""
        rows = []
        for name, runs in self.done.items():
            for label in range(len(self.class_names) if runs else 0):
                first = runs[0].results["classes"][label]
                rows.append(self._place(name) | {"class": first["name"]})
                rows[-1] |= {"train_images": first["train_images"], "images": first["images"], "runs": len(runs)}
                for score in CLASS_SCORES:
                    measured = self._measured(name, f"{score}/{first['name']}").values()
                    rows[-1] |= {f"{score}{what}": number for what, number in zip(STATISTICS, measured, strict=True)}
        return pd.DataFrame(rows, columns=CLASS_COLUMNS)

    def _place(self, name: str) -> dict[str, str]:
        return {"row": name, "dataset": self.column.dataset, "backbone": self.column.backbone}

    def _measured(self, name: str, key: str) -> dict[str, float]:
        values = np.array([run.score(key) for run in self.done[name]])
        if not len(values):
            return dict.fromkeys(("value", "std", "low", "high"), np.nan)
        average = np.median(values) if self.spec.average == "median" else values.mean()
        # A run that is older than a score has none of it, though its predictions would give one.
        resampled = name in self.resampled and not np.isnan(average)
        low, high = interval(self.resampled[name][key]) if resampled else (np.nan, np.nan)
        std = values.std() if len(values) > 1 else np.nan
        found = {"value": average, "std": std, "low": low, "high": high}
        return {what: float(number) * self.spec.scale for what, number in found.items()}

    def _p_value(self, name: str, other: str, key: str) -> float:
        """Of the difference of two rows; NaN if they are not comparable, or either lacks the score."""
        scores = [run.score(key) for row in (name, other) for run in self.done[row]]
        if not self._comparable(name, other) or np.isnan(scores).any():
            return np.nan
        return paired_p_value(self.resampled[name][key], self.resampled[other][key])

    def _comparable(self, name: str, other: str) -> bool:
        """Whether two rows, not one and the same, have the same seeds or folds, both with predictions."""
        repeats = [[run.repeat for run in self.done[row]] for row in (name, other)]
        return name != other and {name, other} <= self.known.keys() and repeats[0] == repeats[1]

    def _origin(self, name: str) -> dict[str, Any]:
        """What was resampled, where the numbers are from, and how long a run took on average."""
        runs = self.done[name]
        identities = [run.identity for run in runs]
        versions = [
            ", ".join(f"{library} {number}" for library, number in each["versions"].items()) for each in identities
        ]
        records = [read_record(cell.job.record.parent) for cell in self.cells_done[name] if cell.job]
        # 0, where a process was killed after the results were there.
        seconds = [record["seconds"] for record in records if record and record["seconds"]]
        predictions = self.known.get(name, [])
        grouped = any((run.unit != "image " + run.image).any() for run in predictions)
        return {
            "units": ("groups of images" if grouped else "images") + (AND_RUNS if are_seeds(predictions) else ""),
            "networks": _joined(each.get("backbone") or "unknown" for each in identities),
            "seeds": _joined(run.repeat for run in runs),
            "folders": _joined(run.folder.relative_to(self.runs).as_posix() for run in runs),
            "commits": _joined(each["commit"] or "unknown" for each in identities),
            "versions": _joined(versions),
            "seconds": float(np.mean(seconds)) if seconds else np.nan,
        }


def _joined(texts: Iterable[str]) -> str:
    """Every text once."""
    return "; ".join(dict.fromkeys(texts))
