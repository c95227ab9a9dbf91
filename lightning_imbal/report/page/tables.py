"""The sortable tables of a report page."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import isfinite

import numpy as np

from lightning_imbal.report.tables.sheets import sheets
from lightning_imbal.score_names import OF_CLASS, SCORES
from lightning_imbal.stats.analysis import Reliability
from lightning_imbal.stats.drawn_methods import Method
from lightning_imbal.stats.results import Results, learned_rows, names_of
from lightning_imbal.wording import calibrated_text, interval_text, score_text

FIRST = SCORES["f1"].title


@dataclass(frozen=True)
class SortableCell:
    """A cell of a table.

    Args:
        text: What it says.
        value: What it is sorted by; None sorts it by its text.
        below: A smaller second line.
        best: Whether it is the best of its column, or of its class.
    """

    text: str
    value: float | None = None
    below: str = ""
    best: bool = False


@dataclass(frozen=True)
class SortableTable:
    """Rows that a click on a heading sorts, and some that stay below; the first cell of each is its name."""

    caption: str
    headings: list[str]
    rows: list[list[SortableCell]]
    below: list[list[SortableCell]] = field(default_factory=list)


def number_cell(value: float, decimals: int = 3, below: str = "") -> SortableCell:
    """A cell with a number; one that is not known is sorted by its text."""
    return SortableCell(score_text(value, decimals), value if isfinite(value) else None, below)


def leaderboard(results: Results) -> SortableTable:
    """A row for each method: summary scores, and how many of its runs are finished; below, what needs no training."""
    sheet = sheets(results)[0]
    headings, columns = [], []
    # What methods are chosen by comes first, so that it is seen on the narrowest screen.
    for section in sorted(sheet.sections, key=lambda section: section.title != FIRST):
        for kind, entries in section.columns.items():
            headings.append(section.title if len(section.columns) == 1 else f"{section.title}, {kind}")
            columns.append(
                [
                    SortableCell(entry.text + "*" * entry.star, _number(entry.number), entry.interval, entry.rank == 1)
                    for entry in entries
                ]
            )
    names = [SortableCell(name, below=sheet.remark(place)) for place, name in enumerate(sheet.methods)]
    done = [SortableCell(runs, _number(runs.partition("/")[0])) for runs in sheet.runs]
    rows = [list(row) for row in zip(names, *columns, done, strict=True)]
    caption, headings = "Scores of each method: 95 % interval below", ["method", *headings, "runs"]
    return SortableTable(caption, headings, rows[: sheet.trained], rows[sheet.trained :])


def class_table(
    results: Results, methods: Sequence[Method], train: dict[str, int], test: dict[str, int], score: str
) -> SortableTable:
    """A row for each class: its images, and a score (`f1` or `recall`) of each method and of what needs no training."""
    scores, floors = (table.set_index(["class", "row"]) for table in (results.classes, results.floor_classes))
    decimals, without = results.spec.decimals, names_of(results.floor_classes)
    learned = learned_rows(results, results.spec.columns[0])
    rows = []
    for name, images in train.items():
        found = [scores.loc[(name, method.name)] for method in methods] + [floors.loc[(name, each)] for each in without]
        values = [round(row[score], decimals) for row in found]
        ranked = [method.name in learned for method in methods] + [False] * len(without)
        known = {value for value, is_ranked in zip(values, ranked, strict=True) if is_ranked and isfinite(value)}
        best = max(known) if len(known) > 1 else None
        rows.append([SortableCell(name), *(SortableCell(f"{number:,}", number) for number in (images, test[name]))])
        for row, value, is_ranked in zip(found, values, ranked, strict=True):
            interval = interval_text(row[f"{score}_low"], row[f"{score}_high"], digits=decimals - 1)
            best_one = is_ranked and value == best
            rows[-1].append(SortableCell(score_text(value, decimals), value, interval, best_one))
    headings = ["class", "train images", "test images", *(method.name for method in methods), *without]
    return SortableTable(f"{OF_CLASS[score]} of every class: 95 % interval below, best in bold", headings, rows)


def calibration_table(found: dict[str, dict[str, Reliability]]) -> SortableTable:
    """A row for each method: the calibration error over all images and over those of each group of classes."""
    groups = list(dict.fromkeys(group for of_method in found.values() for group in of_method))
    rows = []
    for name, of_method in found.items():
        errors = [of_method[group].ece if group in of_method else np.nan for group in groups]
        rows.append([SortableCell(name), *map(number_cell, errors)])
        of_all = replace(rows[-1][1], below=calibrated_text(of_method["all"].calibrated, 3))
        rows[-1] = [rows[-1][0], of_all, *rows[-1][2:]]
    caption = (
        "Expected calibration error (ECE) by group of classes, of several runs the mean; below that of all "
        "images what a calibrated network would not exceed in 95 of 100 test sets of this size"
    )
    return SortableTable(caption, ["method", *groups], rows)


def _number(text: str) -> float | None:
    """The number that is printed; None for a word in its place."""
    try:
        return float(text)
    except ValueError:
        return None
