"""How far the scores in one column of a table are above those in another, such as on a split that leaks."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from lightning_imbal.stats.column_scores import Block
from lightning_imbal.stats.compared import Compared
from lightning_imbal.stats.proportions import Intervals
from lightning_imbal.stats.row_scores import recovered
from lightning_imbal.tables.spec import Spec

# Recall of the images that have others of their lesion or patient somewhere in the data set, and of those that have
# none: a split that leaks flatters the former, and a harder test part lowers both. Their titles in a table.
OF_GROUPS = {
    "recall_several": "Mean recall, groups of several images",
    "recall_one": "Mean recall, groups of one image",
}
RECALL = "balanced_accuracy"


class Measured(NamedTuple):
    """A score with its 95 % interval (NaN if there is none)."""

    value: float
    low: float
    high: float


def gaps(spec: Spec, blocks: list[Block], cells: pd.DataFrame) -> pd.DataFrame:
    """Differences of every row that has finished runs in both columns that `Spec.gap` names.

    The test parts of the two columns are taken to have nothing to do with each other: where they share images, the
    intervals are rather too wide.

    Args:
        spec: The table.
        blocks: Its columns.
        cells: All their cells, as in `Results`.

    Returns:
        One row per row and metric, and where groups are known also per key of `OF_GROUPS`: `row`, `metric`, `value`
        (the first column's less the second's), `low` and `high` (95 % interval, from those of both; NaN without).
    """
    columns = [_scores(spec, block, cells) for block in blocks_named(spec.gap, blocks)]
    found = []
    for key in columns[0] if columns else ():
        if key in columns[1]:
            both = Intervals(*map(np.array, zip(*(column[key] for column in columns), strict=True)))
            value = float(both.value[0] - both.value[1])
            low, high = recovered(value, np.array([1.0, -1.0]), both, np.eye(2))
            known = np.isfinite([both.low, both.high]).all()
            found.append((*key, value, *((low, high) if known else (np.nan, np.nan))))
    return pd.DataFrame(found, columns=["row", "metric", "value", "low", "high"])


def blocks_named(titles: list[str] | None, blocks: list[Block]) -> list[Block]:
    """The columns of these titles, in their order."""
    return [block for title in titles or () for block in blocks if block.column.title == title]


def shared_images(spec: Spec, blocks: list[Block]) -> tuple[int, int]:
    """How many test images of the second column of a gap are also in the test part of the first; and of how many."""
    tested = [
        set().union(*(run.image for runs in block.known.values() for run in runs))
        for block in blocks_named(spec.gap, blocks)
    ]
    return (len(tested[0] & tested[1]), len(tested[1])) if tested else (0, 0)


def _scores(spec: Spec, block: Block, cells: pd.DataFrame) -> dict[tuple[str, str], Measured]:
    """Every row and metric of a column, in the order of the table."""
    column, found = block.column, {}
    of_column = cells[(cells["dataset"] == column.dataset) & (cells["backbone"] == column.backbone)]
    of_column = of_column.dropna(subset="value").set_index(["row", "metric"])
    of_groups = _of_groups(spec, block)
    for row in dict.fromkeys(of_column.index.get_level_values("row")):
        for metric in spec.metrics:
            if (row, metric) in of_column.index:
                cell = of_column.loc[(row, metric)]
                found[row, metric] = Measured(cell["value"], cell["low"], cell["high"])
        found |= {key: of_groups[key] for key in ((row, metric) for metric in OF_GROUPS) if key in of_groups}
    return found


def _of_groups(spec: Spec, block: Block) -> dict[tuple[str, str], Measured]:
    """The same for the keys of `OF_GROUPS`; nothing where there are not both kinds of groups."""
    found = {}
    for metric, alone in zip(OF_GROUPS, (False, True), strict=True):
        parts = {name: [each.only(alone) for each in row.rounds] for name, row in block.compared.rows.items()}
        if not all(len(fold.label) for rounds in parts.values() for each in rounds for fold in each.folds):
            return {}
        compared = Compared(parts, [RECALL], spec.average)
        for name, row in compared.rows.items():
            values = [row.value(RECALL), *row.interval(RECALL)]
            found[name, metric] = Measured(*(float(each) * spec.scale for each in values))
    return found
