"""Which row of a table is best where a class is more or less frequent than in the test images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lightning_imbal.decisions.prevalence import scores_at_prevalence
from lightning_imbal.runs.run import Run
from lightning_imbal.stats.analysis import confusion

PREVALENCES = np.geomspace(0.001, 0.9, 101)


@dataclass(frozen=True)
class BestRange:
    """Prevalences at which one row is the best.

    Args:
        name: Of the row.
        low: The smallest of them.
        high: The largest.
    """

    name: str
    low: float
    high: float


def scores_of_class(runs: Sequence[Run], c: int) -> dict[str, np.ndarray]:
    """What the scores of a row would be at each of `PREVALENCES` of a class, from the confusion matrix of all its runs.

    Returns:
        `macro_f1`, and `f1`, `precision` and `recall` of the class, each (G,); NaN if the class has no test images. If
        there are no others, only recall is known.
    """
    scores = scores_at_prevalence(confusion(runs), c, PREVALENCES)
    return {"macro_f1": scores["macro_f1"]} | {key: scores[key][:, c] for key in ("f1", "precision", "recall")}


def best_ranges(curves: Mapping[str, np.ndarray]) -> list[BestRange]:
    """The best row at each of `PREVALENCES`, from the smallest on; of rows that are equally good the first.

    Args:
        curves: A score of each row, (G,), higher is better.
    """
    names = list(curves)
    best = np.argmax(list(curves.values()), axis=0)
    first = np.flatnonzero(np.append(True, best[1:] != best[:-1]))  # of each range
    # Between two ranges, in the middle of a logarithmic axis.
    between = np.sqrt(PREVALENCES[first[1:] - 1] * PREVALENCES[first[1:]])
    ends = [PREVALENCES[0], *between, PREVALENCES[-1]]
    return [
        BestRange(names[best[place]], float(low), float(high))
        for place, low, high in zip(first, ends[:-1], ends[1:], strict=True)
    ]
