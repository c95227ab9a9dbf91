"""The numbers of one column of a table: a protocol, all its rows, and their finished runs."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lightning_imbal.runs.folder import is_finished, read_record
from lightning_imbal.score_names import lower_is_better
from lightning_imbal.stats.bootstrap import holm
from lightning_imbal.stats.calibration import calibrated_point
from lightning_imbal.stats.compared import Compared
from lightning_imbal.stats.floors import floors_of
from lightning_imbal.stats.learned import JUDGED_BY, Verdict, verdicts
from lightning_imbal.stats.mcnemar import mcnemar_p_value
from lightning_imbal.stats.rounds import joined_score, predicted_rounds, rounds_of
from lightning_imbal.stats.row_runs import ReadRuns
from lightning_imbal.stats.row_scores import NO_INTERVAL
from lightning_imbal.stats.shared_images import overlap_of, same_images
from lightning_imbal.stats.unit_counts import FEW_UNITS
from lightning_imbal.tables.cell import Cell
from lightning_imbal.tables.spec import Column, Spec

CLASS_SCORES = ("f1", "recall")
STATISTICS = ("", "_std", "_low", "_high")
MEASURED = ("value", "std", "low", "high")
CLASS_COLUMNS = [
    *("row", "dataset", "backbone", "class", "train_images", "images", "runs", "floor"),
    *(f"{score}{what}" for score in CLASS_SCORES for what in STATISTICS),
]
AND_RUNS = " and runs"  # what is resampled beside the images, of rows with several seeds
NOT_RUN = Verdict(np.nan, False, "")
CORRECTED = {"p_value": "p_holm", "mcnemar": "mcnemar_holm"}


class Winner(NamedTuple):
    """The best of several rows, and how far it is above the baseline.

    Args:
        row: Its name.
        advantage: As observed, times the scale of the table.
        corrected: Without what it owes to being chosen.
        chosen_from: From how many rows.
    """

    row: str
    advantage: float
    corrected: float
    chosen_from: int


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
        rounds: The same, folds of one cross-validation together.
        known: Predictions of the runs of each row of which all have some.
        compared: The scores of those rows, and of the floors.
        overlap: Of rows with different test images; all are scored on what they share if that suffices.
        verdicts: Of each row that was run, whether it learned anything; nothing is compared with one that did not.

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
        read = ReadRuns()
        self.overlap = overlap_of({name: read.as_they_are(of_row) for name, of_row in self.cells_done.items()})
        if self.overlap is not None and self.overlap.suffices:
            read.images = self.overlap.images
        self.done = {name: read.of_row(name, spec.rows[name], of_row) for name, of_row in self.cells_done.items()}
        self.refused = read.refused
        self.class_names = next((run.class_names for of_row in self.done.values() for run in of_row), [])
        self.rounds = {name: rounds_of(of_row) for name, of_row in self.done.items()}
        predictions = {
            name: [run.predictions for run in of_row if run.predictions is not None]
            for name, of_row in self.done.items()
        }
        self.known = {name: kept for name, kept in predictions.items() if kept and len(kept) == len(self.done[name])}
        keys = [metric.score for metric in spec.metrics.values()]
        for run in (run for of_row in self.done.values() for run in of_row):
            for key in keys:
                run.score(key)  # refuses what is no score
        keys += [f"f1/{name}" for name in self.class_names]
        predicted = {name: predicted_rounds(self.done[name]) for name in self.known}
        most = max(predicted.values(), key=lambda rounds: sum(len(each.joined.label) for each in rounds), default=[])
        floors = floors_of(most) if predicted and (self.overlap is None or self.overlap.suffices) else {}
        self.compared = Compared(predicted, [*keys, JUDGED_BY], spec.average, floors=floors)
        self.verdicts = verdicts(self.done, self.compared)

    @cached_property
    def few(self) -> dict[str, int]:
        """The number of units of each class that was tested with few."""
        units = [row.counts.units for row in self.compared.rows.values()]
        most = np.max(units, axis=0) if units else []
        return {name: int(n) for name, n in zip(self.class_names, most, strict=bool(units)) if 0 < n < FEW_UNITS}

    def cells(self) -> pd.DataFrame:
        """One row per row of the table and metric."""
        rows = []
        for name, row in self.spec.rows.items():
            about = (
                self._place(name)
                | {"quoted": row.quoted, "floor": False, "baseline": self.baseline}
                | self._origin(name)
            )
            about |= self.verdicts.get(name, NOT_RUN)._asdict()
            about |= {"runs": len(self.done[name]), "rounds": len(self.rounds[name]), "planned": self.planned[name]}
            comparable = self._comparable(name, self.baseline)
            mcnemar = mcnemar_p_value(self.known[name], self.known[self.baseline]) if comparable else np.nan
            for metric, what in self.spec.metrics.items():
                measured = self._measured(name, what.score)
                known = not np.isnan(measured["value"])
                measured["calibrated"] = self._calibrated(name, what.score) if known else np.nan
                tests = {"p_value": self._p_value(name, self.baseline, what.score), "mcnemar": mcnemar}
                rows.append(about | {"metric": metric} | measured | tests)
        table = pd.concat([self._beside_best(cells) for _, cells in pd.DataFrame(rows).groupby("metric")]).sort_index()
        for raw, corrected in CORRECTED.items():
            table[corrected] = table.groupby("metric")[raw].transform(holm)
        return table

    def _beside_best(self, cells: pd.DataFrame) -> pd.DataFrame:
        """Adds to the cells of one metric the best row with predictions, `best`, and the p-values against it."""
        known = cells[cells["row"].isin(self.known) & cells["value"].notna() & cells["learned"]]
        if known.empty:
            return cells.assign(best="", p_best=np.nan)
        metric = self.spec.metrics[known["metric"].iloc[0]]
        values = known.set_index("row")["value"]
        best = values.idxmin() if metric.lower_is_better else values.idxmax()
        alike = [name for name in values.index if name == best or self._testable(name, best, metric.score)]
        best, p_values = self.compared.beside_best(alike, metric.score)
        return cells.assign(best=best, p_best=cells["row"].map(p_values).astype(float))

    def winner(self, key: str) -> Winner | None:
        """The best of the rows that can be compared with the baseline; None if there are not several."""
        names = [name for name in self.known if self._testable(name, self.baseline, key)]
        if len(names) < 2:
            return None
        sign = -1 if lower_is_better(key) else 1
        best = max(names, key=lambda name: sign * self.compared.rows[name].value(key))
        observed = self.compared.difference(best, self.baseline, key).observed
        corrected = self.compared.corrected_advantage(names, self.baseline, key)
        # It is an estimate, and may come to more by chance.
        corrected = sign * min(sign * corrected, sign * observed)
        return Winner(best, observed * self.spec.scale, corrected * self.spec.scale, len(names))

    def classes(self) -> pd.DataFrame:
        """One row per row of the table that was run, and class."""
        rows = []
        for name, rounds in self.rounds.items():
            for label in range(len(self.class_names) if rounds else 0):
                found = [[run.results["classes"][label] for run in folds] for folds in rounds]
                first = found[0][0]
                images = max(sum(of_fold["images"] for of_fold in folds) for folds in found)
                rows.append(self._place(name) | {"class": first["name"], "train_images": first["train_images"]})
                rows[-1] |= {"images": images, "runs": len(self.done[name]), "floor": False}
                for score in CLASS_SCORES:
                    measured = self._measured(name, f"{score}/{first['name']}").values()
                    rows[-1] |= {f"{score}{what}": number for what, number in zip(STATISTICS, measured, strict=True)}
        return pd.DataFrame(rows, columns=CLASS_COLUMNS)

    def _place(self, name: str) -> dict[str, str]:
        return {"row": name, "dataset": self.column.dataset, "backbone": self.column.backbone}

    def _measured(self, name: str, key: str) -> dict[str, float]:
        values = [joined_score(folds, key) for folds in self.rounds[name]]
        # A run that is older than a score has none of it, though its predictions would give one.
        known = name in self.known and not np.isnan(values).any()
        return numbers_of(values, self.compared.rows[name].interval(key) if known else NO_INTERVAL, self.spec)

    def _calibrated(self, name: str, key: str) -> float:
        """What a calibrated network's error would not exceed; of a score that is none NaN."""
        if key != "ece" or name not in self.known:
            return np.nan
        return calibrated_point(self.compared.rows[name].rounds) * self.spec.scale

    def _p_value(self, name: str, other: str, key: str) -> float:
        """Of the difference of two rows; NaN if they cannot be tested."""
        return self.compared.p_value(name, other, key) if self._testable(name, other, key) else np.nan

    def _testable(self, name: str, other: str, key: str) -> bool:
        """Whether two rows are comparable, and both have a score."""
        scores = [run.score(key) for row in (name, other) for run in self.done[row]]
        return self._comparable(name, other) and not np.isnan(scores).any()

    def _comparable(self, name: str, other: str) -> bool:
        """Whether two rows, not one and the same, learned, and have the same seeds or folds, both with predictions."""
        repeats = [[run.repeat for run in self.done[row]] for row in (name, other)]
        learned = all(row in self.known and self.verdicts[row].learned for row in (name, other))
        if not (name != other and learned and repeats[0] == repeats[1]):
            return False
        return self.overlap is None or same_images(self.done[name], self.done[other])

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
        grouped = any(run.grouped.any() for run in predictions)
        return {
            "units": ("groups of images" if grouped else "images") + (AND_RUNS if len(self.rounds[name]) > 1 else ""),
            "networks": _joined(each.get("backbone") or "unknown" for each in identities),
            "seeds": _joined(run.repeat for run in runs),
            "folders": _joined(run.folder.relative_to(self.runs).as_posix() for run in runs),
            "commits": _joined(each["commit"] or "unknown" for each in identities),
            "versions": _joined(versions),
            "seconds": float(np.mean(seconds)) if seconds else np.nan,
        }


def numbers_of(values: Sequence[float], interval: tuple[float, float], spec: Spec) -> dict[str, float]:
    """What a table says of a score: NaN if it has no values.

    Args:
        values: Of each round.
        interval: Of their average.
        spec: The table.
    """
    average = (np.median if spec.average == "median" else np.mean)(values) if values else np.nan
    std = np.std(values) if len(values) > 1 else np.nan
    return {what: float(number) * spec.scale for what, number in zip(MEASURED, (average, std, *interval), strict=True)}


def _joined(texts: Iterable[str]) -> str:
    """Every text once."""
    return "; ".join(dict.fromkeys(texts))
