"""The numbers of what needs no training, in one column of a table: scored as its rows are."""

from typing import Any

import pandas as pd

from lightning_imbal.stats.column_scores import CLASS_COLUMNS, CLASS_SCORES, STATISTICS, Block, numbers_of
from lightning_imbal.stats.floors import FLOORS
from lightning_imbal.stats.row_scores import NO_INTERVAL


def floor_cells(block: Block) -> pd.DataFrame:
    """One row per floor and metric, as `Block.cells` has them; without numbers where no row has predictions."""
    return pd.DataFrame(
        [
            _about(block, name) | {"metric": metric, "quoted": False, "planned": 0} | _numbers(block, name, what.score)
            for name in FLOORS
            for metric, what in block.spec.metrics.items()
        ]
    )


def floor_classes(block: Block, classes: pd.DataFrame) -> pd.DataFrame:
    """One row per floor and class.

    Args:
        block: The column.
        classes: Those of its rows, as `Block.classes` has them.
    """
    rows = []
    for name in FLOORS:
        for of_class in classes.drop_duplicates("class")[["class", "train_images", "images"]].to_dict("records"):
            rows.append(_about(block, name) | of_class)
            for score in CLASS_SCORES:
                numbers = _numbers(block, name, f"{score}/{of_class['class']}").values()
                rows[-1] |= {f"{score}{what}": number for what, number in zip(STATISTICS, numbers, strict=True)}
    return pd.DataFrame(rows, columns=CLASS_COLUMNS)


def _about(block: Block, name: str) -> dict[str, Any]:
    return {"row": name, "dataset": block.column.dataset, "backbone": block.column.backbone, "runs": 0, "floor": True}


def _numbers(block: Block, name: str, key: str) -> dict[str, float]:
    if (row := block.compared.floors.get(name)) is None:
        return numbers_of([], NO_INTERVAL, block.spec)
    known = row.observed.get(key)
    values = [each.scores([key])[key][0] for each in row.rounds] if known is None else known
    return numbers_of([*map(float, values)], row.interval(key), block.spec)
