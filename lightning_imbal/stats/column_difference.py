"""How far the scores in one column of a table are above those in another, such as on a split that leaks."""

import numpy as np
import pandas as pd

from lightning_imbal.stats.bootstrap import AVERAGES, interval, resampled_averages
from lightning_imbal.stats.column_scores import Block
from lightning_imbal.stats.resampled_scores import resampled_scores
from lightning_imbal.tables.spec import Spec

# Recall of the images that have others of their lesion or patient somewhere in the data set, and of those that have
# none: a split that leaks flatters the former, and a harder test part lowers both. Their titles in a table.
OF_GROUPS = {
    "recall_several": "Mean recall, groups of several images",
    "recall_one": "Mean recall, groups of one image",
}
RECALL = "balanced_accuracy"


def gaps(spec: Spec, blocks: list[Block], cells: pd.DataFrame) -> pd.DataFrame:
    """Differences of every row that has finished runs in both columns that `Spec.gap` names.

    The two columns have other test images: their resamples have nothing to do with each other.

    Args:
        spec: The table.
        blocks: Its columns.
        cells: All their cells, as in `Results`.

    Returns:
        One row per row and metric, and where groups are known also per key of `OF_GROUPS`: `row`, `metric`, `value`
        (the first column's less the second's), `low` and `high` (95 % bootstrap interval; NaN without predictions).
    """
    columns = [
        _scores(spec, block, cells) for title in spec.gap or () for block in blocks if block.column.title == title
    ]
    found = []
    for key in columns[0] if columns else ():
        if key in columns[1]:
            (value, resampled), (other_value, other) = (column[key] for column in columns)
            # Both were drawn with the same random numbers: turned round, the second's go with others of the first's.
            low, high = np.nan, np.nan
            if resampled is not None and other is not None:
                low, high = interval(resampled - other[::-1])
            found.append((*key, value - other_value, low, high))
    return pd.DataFrame(found, columns=["row", "metric", "value", "low", "high"])


def _scores(spec: Spec, block: Block, cells: pd.DataFrame) -> dict[tuple[str, str], tuple[float, np.ndarray | None]]:
    """Value and resamples of every row and metric of a column, in the order of the table."""
    column, found = block.column, {}
    of_column = cells[(cells["dataset"] == column.dataset) & (cells["backbone"] == column.backbone)]
    values = of_column.set_index(["row", "metric"])["value"].dropna()
    of_groups = _of_groups(spec, block)
    for row in dict.fromkeys(values.index.get_level_values("row")):
        for metric, what in spec.metrics.items():
            resampled = block.resampled.get(row, {}).get(what.score)
            found[row, metric] = values[row, metric], None if resampled is None else resampled * spec.scale
        found |= {key: of_groups[key] for key in ((row, metric) for metric in OF_GROUPS) if key in of_groups}
    return found


def _of_groups(spec: Spec, block: Block) -> dict[tuple[str, str], tuple[float, np.ndarray]]:
    """The same for the keys of `OF_GROUPS`; nothing where there are not both kinds of groups."""
    found = {}
    for metric, alone in zip(OF_GROUPS, (False, True), strict=True):
        parts = {row: [run.only(run.alone == alone) for run in runs] for row, runs in block.known.items()}
        if not all(len(part.label) for of_row in parts.values() for part in of_row):
            return {}
        resampled = resampled_averages(parts, [RECALL], spec.average) if parts else {}
        for row, of_row in parts.items():
            values = [resampled_scores(part, np.ones((1, len(part.label))), [RECALL])[RECALL] for part in of_row]
            average = AVERAGES[spec.average](pd.DataFrame(values)).item()
            found[row, metric] = average * spec.scale, resampled[row][RECALL] * spec.scale
    return found
