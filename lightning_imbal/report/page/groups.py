"""The chapter of a report page on scores in which each group of images (lesion, patient) counts once."""

import pandas as pd

from lightning_imbal.report.page.chapter import Chapter
from lightning_imbal.report.page.tables import SortableCell, SortableTable, number_cell
from lightning_imbal.report.tables.sheets import EACH_GROUP, EACH_IMAGE
from lightning_imbal.score_names import GROUPS_ONCE, GROUPS_ONCE_OF_CLASS, OF_CLASS, SCORES
from lightning_imbal.stats.group_scores import ONCE
from lightning_imbal.stats.results import Results, class_counts, classes_of, rows_of
from lightning_imbal.wording import interval_text


def chapter_of_groups(results: Results) -> Chapter:
    """Scores of each method beside those of images, then F1 and recall of each class."""
    [column] = results.spec.columns
    methods, decimals = rows_of(results.groups_once, results), results.spec.decimals
    scores = results.groups_once.set_index(["score", "class", "row"])
    headings, rows = ["method"], [[SortableCell(name)] for name in methods]
    for key in GROUPS_ONCE:
        headings += [f"{SCORES[key].in_words}, {heading}" for heading in (EACH_IMAGE, EACH_GROUP)]
        of_key = [scores.loc[(key, "", name)] for name in methods]
        for row, of_method in zip(rows, of_key, strict=True):
            row += [number_cell(of_method["of_images"], decimals), _with_interval(of_method, decimals)]
    tables = [SortableTable("Each group of images (lesion, patient) once: 95 % interval below", headings, rows)]
    for score in GROUPS_ONCE_OF_CLASS:
        rows = []
        for name in class_counts(classes_of(results, column)):
            of_class = [scores.loc[(score, name, method)] for method in methods]
            groups = max(int(of_method["groups"]) for of_method in of_class)
            rows.append([SortableCell(name), SortableCell(f"{groups:,}", groups)])
            rows[-1] += [_with_interval(of_method, decimals) for of_method in of_class]
        caption = f"{OF_CLASS[score]} of every class, {EACH_GROUP}: 95 % interval below"
        tables.append(SortableTable(caption, ["class", "test groups of images", *methods], rows))
    return Chapter("groups-once", "Each group of images once", [ONCE], tables)


def _with_interval(row: pd.Series, decimals: int) -> SortableCell:
    return number_cell(row["value"], decimals, interval_text(row["low"], row["high"], digits=decimals - 1))
