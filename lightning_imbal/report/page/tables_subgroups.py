"""Tables of the subgroups of the test images."""

from collections.abc import Sequence
from typing import Any

from lightning_imbal.report.page.tables import SortableCell, SortableTable, number_cell
from lightning_imbal.report.tables.sheets import RAREST, shown_classes
from lightning_imbal.report.tables.sheets_subgroups import of_few, too_few
from lightning_imbal.score_names import OF_CLASS
from lightning_imbal.score_names import SCORES as TITLES
from lightning_imbal.stats.subgroups import OF_CLASSES, SCORES, Subgroups
from lightning_imbal.wording import interval_text


def gap_table(found: Subgroups, decimals: int) -> SortableTable:
    """A row for each attribute and method: its worst and best subgroup, and how far they are apart."""
    rows = []
    gaps = found.gaps.groupby(["attribute", "row"], sort=False)
    order = [attribute.name for attribute in found.attributes]
    for (attribute, method), cells in sorted(gaps, key=lambda each: order.index(each[0][0])):
        rows.append([SortableCell(str(attribute)), SortableCell(str(method))])
        for cell in cells.to_dict("records"):
            for which in ("worst", "best"):
                rows[-1].append(number_cell(cell[f"{which}_value"], decimals, cell[which]))
            rows[-1].append(number_cell(cell["gap"], decimals, interval_text(cell["low"], cell["high"], decimals - 1)))
    headings = [f"{TITLES[score].in_words}, {what}" for score in SCORES for what in ("worst", "best", "gap")]
    caption = "The worst and the best subgroup of each method, and the gap between them: 95 % interval below"
    return SortableTable(caption, ["attribute", "method", *headings], rows)


def score_table(found: Subgroups, decimals: int) -> SortableTable:
    """A row for each attribute, subgroup and method: images, groups and scores of all classes together."""
    rows = []
    counted = {"images": "test images", "units": "groups of images"}
    if (found.scores["units"] == found.scores["images"]).all():
        del counted["units"]
    for cell in found.scores.to_dict("records"):
        counts = [SortableCell(f"{cell[name]:,}", cell[name]) for name in counted]
        scores = [_score(cell, score, decimals, too_few(cell)) for score in SCORES]
        rows.append([*(SortableCell(cell[name]) for name in ("attribute", "subgroup", "row")), *counts, *scores])
    headings = ["attribute", "subgroup", "method", *counted.values(), *(TITLES[each].in_words for each in SCORES)]
    caption = "Scores of every subgroup, over the classes that it has: 95 % interval below"
    return SortableTable(caption, headings, rows)


def class_table(found: Subgroups, order: Sequence[str], decimals: int) -> SortableTable:
    """A row for each attribute, subgroup, class and method: its images, recall and F1; of many classes, the rarest.

    Args:
        found: The subgroups.
        order: Of the classes, from most to fewest training images.
        decimals: Of the scores.
    """
    shown = shown_classes(order)
    rows = []
    for cell in found.classes[found.classes["class"].isin(shown)].to_dict("records"):
        names = [SortableCell(cell[name]) for name in ("attribute", "subgroup", "class", "row")]
        scores = [_score(cell, score, decimals, of_few(cell)) for score in OF_CLASSES]
        rows.append([*names, SortableCell(f"{cell['images']:,}", cell["images"]), *scores])
    which = f"the {RAREST} rarest classes" if len(shown) < len(order) else "every class"
    headings = ["attribute", "subgroup", "class", "method", "test images", *(OF_CLASS[each] for each in OF_CLASSES)]
    return SortableTable(f"Scores of {which} in every subgroup: 95 % interval below", headings, rows)


def _score(cell: dict[str, Any], score: str, decimals: int, word: str) -> SortableCell:
    interval = interval_text(cell[f"{score}_low"], cell[f"{score}_high"], decimals - 1)
    return number_cell(cell[score], decimals, " ".join(filter(None, [interval, word])))
