"""The table that compares methods on one data set."""

from collections.abc import Sequence
from pathlib import Path

from lightning_imbal.score_names import SCORES
from lightning_imbal.tables.spec import Column, Metric, Row, Spec

COMPARED = ("f1", "balanced_accuracy", "scr", "accuracy", "auc", "ece")  # scores, the first of which ranks
OF_GRADES = ("kappa", "mean_grade_error")  # beside them where the classes are grades
BASELINES = ("CE -> cRW", "CE")
# Of the training folds: 7:1:2 with five of them, as in the protocols' own split.
VALIDATION = 0.125


def comparison(
    rows: dict[str, Row],
    dataset: str,
    protocol: Path,
    folds: int | None = None,
    seeds: Sequence[int] = (0,),
    ordered: bool = False,
) -> Spec:
    """The table that compares methods on one data set.

    Args:
        rows: The methods.
        dataset: Name of the data set.
        protocol: What all of them have in common.
        folds: Number of folds; None keeps the protocol's split.
        seeds: Seeds to run if there are no folds.
        ordered: Whether the classes are grades.
    """
    column = Column(dataset=dataset, configs=[str(protocol)], seeds=list(dict.fromkeys(seeds)))
    if folds is not None:
        column.options = {"data.split": "KFold", "data.split.folds": folds, "data.split.val": VALIDATION}
        column.folds = list(range(folds))
    metrics = {score: Metric(score=score, title=SCORES[score].in_words) for score in (*COMPARED, *OF_GRADES * ordered)}
    spec = Spec(title=f"Methods on {dataset}", columns=[column], rows=dict(rows), metrics=metrics)
    spec.name = f"compare-{dataset}"
    return spec
