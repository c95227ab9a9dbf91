"""Whether two columns of a table, such as two networks, put its rows in the same order."""

import numpy as np
import pandas as pd
from scipy.stats import kendalltau

from lightning_imbal.stats.bootstrap import SIGNIFICANT
from lightning_imbal.stats.column_difference import blocks_named
from lightning_imbal.stats.column_scores import Block
from lightning_imbal.tables.spec import Spec

LEAST = 3  # rows that can be in several orders


def agreements(spec: Spec, blocks: list[Block]) -> pd.DataFrame:
    """Kendall's tau-b of the rows in the two columns that `Spec.rankings` names.

    It is 1 where both columns put the rows in the same order, -1 in opposite ones; without ties, of a share
    (1 + tau) / 2 of the pairs of rows the same one is ahead in both. The interval is from what it would be if the pairs
    that are not told from each other in both columns were all in opposite orders to what it would be if they were all
    in the same. Pairs are told at 5 %, corrected for their number and for the two columns (range test by the bootstrap,
    see `Compared.told_apart`). Percentiles of a resampled tau are no interval of it: noise takes an order further from
    another one, so that they would hardly ever hold 1 where the orders are the same.

    Returns:
        One row per metric: `metric`, `rows` (their number: those that learned anything and have predictions of the same
        seeds or folds in both columns), `pairs` of them, how many are `told` in both columns, and how many of those are
        in the same order (`agreed`); `value` (NaN if a column has all rows equal), `low` and `high`. None where there
        are fewer than three rows.
    """
    named = blocks_named(spec.rankings, blocks)
    found = []
    for name, metric in spec.metrics.items() if named else ():
        names = [row for row in spec.rows if all(_ranked(block, row, metric.score) for block in named)]
        names = [row for row in names if all(_repeats(block, row) == _repeats(block, names[0]) for block in named)]
        if len(names) >= LEAST:
            found.append((name, len(names), *_tau(named, names, metric.score)))
    return pd.DataFrame(found, columns=["metric", "rows", "pairs", "told", "agreed", "value", "low", "high"])


def _ranked(block: Block, row: str, key: str) -> bool:
    known = row in block.known and block.verdicts[row].learned
    return known and not np.isnan(block.compared.rows[row].value(key))


def _repeats(block: Block, row: str) -> list[str]:
    return [run.repeat for run in block.done[row]]


def _tau(blocks: list[Block], names: list[str], key: str) -> tuple[int, int, int, float, float, float]:
    values = [[block.compared.rows[name].value(key) for name in names] for block in blocks]
    pairs = np.triu_indices(len(names), 1)
    one, other = (block.compared.told_apart(names, key, SIGNIFICANT / len(blocks))[pairs] for block in blocks)
    number, told, agreed = len(one), int((one * other != 0).sum()), int((one * other > 0).sum())
    # Of all pairs, one that is not told may be in either order.
    low, high = (2 * agreed - number) / number, (number - 2 * (told - agreed)) / number
    return number, told, agreed, float(kendalltau(*values).statistic), low, high
