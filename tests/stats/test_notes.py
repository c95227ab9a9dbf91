"""Which rows cannot be told from the best one: by the corrected p-values, by hand."""

import pandas as pd

from lightning_imbal.stats.notes import notes_of
from lightning_imbal.tables.spec import Column, Metric, Row, Spec


def ties(p_best_holm, p_best=0.001, value=(0.75, 0.5, 0.25), metric=None):
    """What is said of three rows, of which the best has no p-value."""
    metric = metric or Metric(score="f1")
    rows = ["LDAM", "RS", "CE"]
    spec = Spec(title="", columns=[Column(dataset="skin")], rows={name: Row() for name in rows}, metrics={"F1": metric})
    table = pd.DataFrame({"row": rows, "value": value, "p_best_holm": [None, *p_best_holm], "p_best": p_best})
    about = {"dataset": "skin", "backbone": "", "metric": "F1", "best": "LDAM", "p_value": None}
    origin = {"runs": 1, "units": "images", "networks": "resnet18", "commits": "abc", "versions": "torch 2"}
    return [note for note in notes_of(table.assign(**about, **origin), [], "CE", spec) if "cannot be told" in note]


def test_the_corrected_p_value_decides():
    assert ties([0.06, 0.01]) == ["skin: rows that cannot be told from LDAM, the best in F1: RS."]
    assert ties([0.05, 0.04], p_best=0.02) == ["skin: rows that cannot be told from LDAM, the best in F1: RS."]


def test_nothing_is_said_where_all_or_none_are_told_apart():
    assert ties([0.01, 0.01]) == ties([0.5, 0.5]) == []


def test_metrics_without_marks_have_no_best():
    assert ties([0.06, 0.01], metric=Metric(score="f1", mark=0)) == []
