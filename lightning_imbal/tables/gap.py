"""How far the scores in one column of a table are above those in another, such as on a split that leaks."""

import numpy as np
import pandas as pd

from lightning_imbal.tables.results import Results
from lightning_imbal.tables.statistics import interval


def gaps(results: Results) -> pd.DataFrame:
    """Differences of every row that has finished runs in both columns that `Spec.gap` names.

    The two columns have other test images: their resamples have nothing to do with each other.

    Returns:
        One row per row and metric: `row`, `metric`, `value` (the first column's less the second's), `low` and `high`
        (95 % bootstrap interval; NaN without predictions).
    """
    spec = results.spec
    columns = [next(column for column in spec.columns if column.title == title) for title in spec.gap or ()]
    cells = results.cells.set_index(["dataset", "backbone", "row", "metric"])["value"]
    values = [cells.loc[(column.dataset, column.backbone)] for column in columns]
    found = []
    for (row, metric), value in (values[0] - values[1]).dropna().items() if values else ():
        resampled = [results.resampled[title].get(row, {}).get(spec.metrics[metric].score) for title in spec.gap]
        # Both were drawn with the same random numbers: turned round, those of the second go with others of the first.
        known = all(of_column is not None for of_column in resampled)
        low, high = interval(resampled[0] - resampled[1][::-1]) if known else (np.nan, np.nan)
        found.append((row, metric, value, low * spec.scale, high * spec.scale))
    return pd.DataFrame(found, columns=["row", "metric", "value", "low", "high"])
