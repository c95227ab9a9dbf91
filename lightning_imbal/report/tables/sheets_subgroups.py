"""Tables of the subgroups of the test images: what one method scores in each, and the worst of each method."""

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from lightning_imbal.report.tables.sheet import Entry, Section, Sheet, interval_of
from lightning_imbal.report.tables.sheets import RAREST, sheets, shown_classes
from lightning_imbal.score_names import SCORES as TITLES
from lightning_imbal.stats.group_scores import ONCE
from lightning_imbal.stats.results import Results, class_counts, classes_of
from lightning_imbal.stats.subgroups import FEW_OF_CLASS, SCORES, Subgroups
from lightning_imbal.stats.unit_counts import FEW_UNITS
from lightning_imbal.wording import NOT_MEASURED, number_of, score_text

OF_CLASSES = {"recall": "recall", "f1": "F1"}
GAP_NOTE = (
    "Worst and best subgroup are picked after looking: the 95 % interval of their gap is widened for that, not for "
    "several attributes, scores and methods; where it holds 0, the choice of the test images may have made the gap."
)
PREVALENCE_NOTE = "F1 also depends on how frequent a class is in a subgroup; recall and balanced accuracy do not."
ABSENT_NOTE = (
    f"{NOT_MEASURED}: the subgroup has no image of the class; its means are over the others, and a gap is between "
    "subgroups that have all classes, or all but the rarest where fewer than two have all."
)
FEW_NOTE = (
    f"Too few: below {FEW_UNITS} images, or groups of images (lesion, patient) where they are known, a subgroup has no "
    "means and is in no gap."
)


def all_sheets(results: Results) -> list[Sheet]:
    """The tables of results, and at the end the worst subgroups of the methods, where images have attributes."""
    found = sheets(results)
    for column in results.spec.columns:
        if (subgroups := results.subgroups.get(column.title)) is not None:
            found += gap_sheets(subgroups, list(results.spec.rows), f"{column.title}: ", results.spec.decimals)
    return found


def all_notes(results: Results) -> list[str]:
    """What a reader must know of results, of scores in which each group of images counts once, and of subgroups."""
    further = [ONCE] * bool(len(results.groups_once))
    further += [note for found in results.subgroups.values() for note in gap_notes(found)]
    return [*results.notes, *dict.fromkeys(further)]


def gap_notes(found: Subgroups) -> Iterator[str]:
    """What is said below the worst subgroups."""
    if found.gaps["gap"].notna().any():
        yield GAP_NOTE
        yield PREVALENCE_NOTE
    if (found.classes["images"] == 0).any():
        yield ABSENT_NOTE
    if found.scores["few"].any():
        yield FEW_NOTE


def gap_sheets(found: Subgroups, order: Sequence[str], before: str = "", decimals: int = 3) -> list[Sheet]:
    """For each attribute the worst subgroup of every method, and how far it is below the best.

    Args:
        found: The subgroups.
        order: Names of the methods, in the order in which they are shown.
        before: What the titles begin with.
        decimals: Of the scores.
    """
    made = []
    for attribute in found.attributes:
        gaps = found.gaps[found.gaps["attribute"] == attribute.name]
        methods = [name for name in order if name in set(gaps["row"])]
        sections = []
        for score in SCORES:
            of_score = gaps[gaps["score"] == score].set_index("row").reindex(methods)
            columns: dict[str, list[Entry]] = {"worst": [], "gap": []}
            for cell in of_score.itertuples():
                columns["worst"].append(Entry(score_text(cell.worst_value, decimals), word=cell.worst))
                columns["gap"].append(_gap(cell, decimals))
            sections.append(Section(TITLES[score].in_words, columns))
        made.append(Sheet(f"{before}Worst subgroup by {attribute.name}, and its gap to the best", methods, sections))
    return made


def score_sheets(found: Subgroups, row: str, decimals: int = 3) -> list[Sheet]:
    """For each attribute the images and scores of every subgroup of a method."""
    made = []
    for attribute in found.attributes:
        cells = _of(found.scores, row, attribute.name)
        if cells.empty:
            continue
        sections = [Section("images", {"": [Entry(f"{number:,}") for number in cells["images"]]})]
        if (cells["units"] != cells["images"]).any():
            sections.append(Section("groups of images", {"": [Entry(f"{number:,}") for number in cells["units"]]}))
        for score in SCORES:
            entries = [_score(cell, score, decimals, too_few(cell)) for cell in cells.to_dict("records")]
            sections.append(Section(TITLES[score].in_words, {"": entries}))
        made.append(Sheet(f"{row}, by {attribute.name}", list(cells["subgroup"]), sections, of=attribute.name))
    return made


def class_sheets(found: Subgroups, row: str, score: str, counts: dict[str, int], decimals: int = 3) -> list[Sheet]:
    """For each attribute a score of every class in every subgroup of a method.

    Args:
        found: The subgroups.
        row: The method.
        score: `recall` or `f1`.
        counts: Training images of each class, in the order in which they are shown; of many, the rarest are.
        decimals: Of the scores.
    """
    shown = shown_classes(list(counts))
    which = f"the {RAREST} classes with fewest training images" if len(shown) < len(counts) else "every class"
    made = []
    for attribute in found.attributes:
        cells = _of(found.classes, row, attribute.name)
        if cells.empty:
            continue
        names = list(dict.fromkeys(cells["subgroup"]))
        sections = []
        for name in shown:
            of_class = cells[cells["class"] == name].set_index("subgroup").loc[names].to_dict("records")
            sections.append(Section(name, {"": [_score(cell, score, decimals, of_few(cell)) for cell in of_class]}))
        title = f"{row}, by {attribute.name}: {OF_CLASSES[score]} of {which}"
        made.append(Sheet(title, names, sections, of=attribute.name))
    return made


def gap_sentences(found: Subgroups, row: str, decimals: int = 3) -> Iterator[str]:
    """The gaps of a method, one sentence for each attribute and score."""
    for cell in found.gaps[found.gaps["row"] == row].itertuples():
        if cell.worst and cell.worst != cell.best:
            interval = interval_of(cell.low, cell.high, decimals)
            title = TITLES[cell.score].in_words
            yield (
                f"{title} by {cell.attribute}: worst {cell.worst} ({score_text(cell.worst_value, decimals)}), best "
                f"{cell.best} ({score_text(cell.best_value, decimals)}), gap {score_text(cell.gap, decimals)}"
                f"{f' {interval}' if interval else ''}."
            )


def results_sheets(results: Results) -> list[Sheet]:
    """All tables of subgroups of the runs of one column: the worst of every method, then each method by itself."""
    [column] = results.spec.columns
    found, decimals = results.subgroups[column.title], results.spec.decimals
    counts = class_counts(classes_of(results, column))
    made = gap_sheets(found, list(results.spec.rows), f"{column.title}: ", decimals)
    for row in dict.fromkeys(found.scores["row"]):
        made += score_sheets(found, row, decimals)
        for score in ("recall", "f1"):
            made += class_sheets(found, row, score, counts, decimals)
    return made


def subgroup_tables(results: Results) -> dict[str, pd.DataFrame]:
    """The numbers of all subgroups, by what their CSV files end with; none where nothing is known of the images."""
    tables: dict[str, list[pd.DataFrame]] = {"": [], "_classes": [], "_gaps": []}
    for title, found in results.subgroups.items():
        for name, table in zip(tables, (found.scores, found.classes, found.gaps), strict=True):
            tables[name].append(table.assign(column=title))
    return {name: pd.concat(of_columns, ignore_index=True) for name, of_columns in tables.items() if of_columns}


def _of(table: pd.DataFrame, row: str, attribute: str) -> pd.DataFrame:
    return table[(table["row"] == row) & (table["attribute"] == attribute)]


def _gap(cell: Any, decimals: int) -> Entry:
    return Entry(score_text(cell.gap, decimals), interval=interval_of(cell.low, cell.high, decimals))


def _score(cell: dict[str, Any], score: str, decimals: int, word: str) -> Entry:
    interval = interval_of(cell[f"{score}_low"], cell[f"{score}_high"], decimals)
    return Entry(score_text(cell[score], decimals), interval=interval, word=word)


def too_few(cell: dict[str, Any]) -> str:
    """What is said of a subgroup that is not averaged, a row of `Subgroups.scores`; empty of any other."""
    if not cell["few"]:
        return ""
    return "too few images" if cell["images"] < FEW_UNITS else "too few groups"


def of_few(cell: dict[str, Any]) -> str:
    """How many images a class has in a subgroup, a row of `Subgroups.classes`; empty if they are not few."""
    return f"of {number_of(cell['images'], 'image')}" if 0 < cell["images"] < FEW_OF_CLASS else ""
