"""What the tables of a paper show, whatever they are printed as: entries, best ones, order of the classes."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import isfinite, nan
from typing import Any

import pandas as pd

from lightning_imbal.report.tables.sheet import QUOTED, Entry, Section, Sheet, interval_of
from lightning_imbal.report.tables.sheets_columns import differences, orders
from lightning_imbal.score_names import GROUPS_ONCE, SCORES
from lightning_imbal.stats.bootstrap import SIGNIFICANT
from lightning_imbal.stats.results import (
    Results,
    cells_of,
    class_counts,
    classes_of,
    floors_of,
    groups_once_of,
    learned_rows,
    names_of,
    rows_of,
)
from lightning_imbal.tables.spec import Column, Metric
from lightning_imbal.wording import calibrated_text, number_of, score_text, signed_text

MANY_CLASSES = 10
RAREST = 5
EACH_IMAGE, EACH_GROUP = "each image", "each group once"


def sheets(results: Results) -> list[Sheet]:
    """For every column of the specification its metrics and, if anything was run, the F1 of its classes.

    Where groups of several images are known, the same with each group counting once. At the end comes the difference of
    two columns, and whether two put the methods in the same order, if the specification asks for it.
    """
    found = []
    for column in results.spec.columns:
        found.append(_scores(results, column))
        if len(classes := classes_of(results, column)):
            found.append(_class_scores(results, column, classes))
        if len(once := groups_once_of(results, column)):
            found += _groups_once(results, column, once)
    if len(results.gaps):
        found.append(differences(results))
    if len(results.rankings):
        found.append(orders(results))
    return found


def _scores(results: Results, column: Column) -> Sheet:
    cells, floors, spec = cells_of(results, column), floors_of(results, column), results.spec
    methods, below = rows_of(cells, results), names_of(floors)
    published = bool(cells["published"].notna().any())
    sections = []
    for name, metric in spec.metrics.items():
        of_metric = cells[cells["metric"] == name].set_index("row").loc[methods]
        of_floors = floors[floors["metric"] == name]
        sections.append(_metric(of_metric, of_floors, metric, name, published, spec.decimals))
    first = cells.drop_duplicates("row").set_index("row").loc[methods]
    runs = ["" if row.quoted else f"{int(row.runs)}/{int(row.planned)}" for row in first.itertuples()]
    remarks = {name: remark for name, remark in first["remark"].items() if remark}
    return Sheet(column.title, methods + below, sections, runs + [""] * len(below), remarks, len(below))


def _metric(
    cells: pd.DataFrame, floors: pd.DataFrame, metric: Metric, name: str, published: bool, decimals: int
) -> Section:
    """Published and measured numbers and their difference; only what was measured if the paper prints none at all."""
    rows = list(cells.itertuples())
    ranks = _ranks(cells["value"].where(cells["learned"]), metric.mark, decimals, metric.lower_is_better)
    measured = [_measured(row, rank, decimals) for row, rank in zip(rows, ranks, strict=True)]
    measured += [_measured(row, 0, decimals) for row in floors.itertuples()]
    columns = {"measured": measured}
    if published:
        ranks = _ranks(cells["published"], metric.mark, decimals, metric.lower_is_better)
        paper = [
            _entry(row.published, row.published_std, decimals, rank) for row, rank in zip(rows, ranks, strict=True)
        ]
        difference = [Entry() if row.quoted else Entry(signed_text(row.difference, decimals)) for row in rows]
        none = [Entry()] * len(floors)
        columns = {"published": paper + none, "measured": measured, "difference": difference + none}
    return Section(metric.title or name, columns)


def _measured(row: Any, rank: int, decimals: int) -> Entry:
    if row.quoted:
        return Entry(QUOTED)
    entry = _entry(row.value, row.std, decimals, rank)
    interval = calibrated_text(row.calibrated, decimals) or interval_of(row.low, row.high, decimals)
    return replace(entry, interval=interval, star=row.p_holm < SIGNIFICANT)


def _class_scores(results: Results, column: Column, classes: pd.DataFrame) -> Sheet:
    decimals, counts = results.spec.decimals, class_counts(classes)
    title = f"{column.title}: F1 of every class, from most to fewest training images"
    shown = shown_classes(list(counts))
    if len(shown) < len(counts):
        title = (
            f"{column.title}: F1 of the {RAREST} of {len(counts)} classes with fewest training images (the CSV has all)"
        )
    methods, floors = rows_of(classes, results), floors_of(results, column, classes=True)
    below, learned = names_of(floors), learned_rows(results, column)
    sections = []
    for name in shown:
        scores = pd.concat([classes, floors]) if len(floors) else classes
        scores = scores[scores["class"] == name].set_index("row").reindex(methods + below)
        ranks = _ranks(scores["f1"].where(scores.index.isin(learned)), 1, decimals)
        entries = [
            replace(_entry(row.f1, nan, decimals, rank), interval=interval_of(row.f1_low, row.f1_high, decimals))
            for row, rank in zip(scores.itertuples(), ranks, strict=True)
        ]
        sections.append(Section(name, {f"{counts[name]:,} images": entries}))
    return Sheet(title, methods + below, sections, floors=len(below))


def _groups_once(results: Results, column: Column, once: pd.DataFrame) -> Iterator[Sheet]:
    """Scores in which each group of images counts once: of all classes beside those of images, and F1 of each class."""
    methods, learned, decimals = rows_of(once, results), learned_rows(results, column), results.spec.decimals
    of_keys = {key: of_key.set_index("row").loc[methods] for key, of_key in once.groupby(["score", "class"])}

    def entries(scores: pd.DataFrame) -> list[Entry]:
        ranks = _ranks(scores["value"].where(scores.index.isin(learned)), 1, decimals)
        return [
            replace(_entry(row.value, nan, decimals, rank), interval=interval_of(row.low, row.high, decimals))
            for row, rank in zip(scores.itertuples(), ranks, strict=True)
        ]

    sections = []
    for key in GROUPS_ONCE:
        images = [_entry(value, nan, decimals, 0) for value in of_keys[key, ""]["of_images"]]
        sections.append(Section(SCORES[key].in_words, {EACH_IMAGE: images, EACH_GROUP: entries(of_keys[key, ""])}))
    groups = number_of(int(of_keys["f1", ""]["groups"].max()), "group")
    yield Sheet(f"{column.title}: {groups} (lesion, patient), each counts once", methods, sections)
    classes = list(class_counts(classes_of(results, column)))
    shown = shown_classes(classes)
    which = f"the {RAREST} rarest" if len(shown) < len(classes) else "every class"
    sections = []
    for name in shown:
        scores = of_keys["f1", name]
        sections.append(Section(name, {number_of(int(scores["groups"].max()), "group"): entries(scores)}))
    yield Sheet(f"{column.title}: F1 of {which}, {EACH_GROUP}", methods, sections)


def shown_classes(order: Sequence[str]) -> list[str]:
    """All classes, given from most to fewest training images; of many the rarest."""
    return list(order if len(order) <= MANY_CLASSES else order[-RAREST:])


def _ranks(values: pd.Series, mark: int, decimals: int, lower_is_better: bool = False) -> list[int]:
    """Ranks from 1 to `mark`, 0 below; numbers that print the same share one, and there is none if all do."""
    printed = [float(f"{value:.{decimals}f}") if isfinite(value) else None for value in values]
    known = [value for value in printed if value is not None]
    marked = sorted(set(known), reverse=not lower_is_better)[: mark if len(set(known)) > 1 else 0]
    return [marked.index(value) + 1 if value in marked else 0 for value in printed]


def _entry(value: float, std: float, decimals: int, rank: int) -> Entry:
    deviation = f"{std:.{decimals}f}" if isfinite(value) and isfinite(std) else ""
    return Entry(score_text(value, decimals), deviation, rank=rank)
