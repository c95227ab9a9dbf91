"""Which of many methods are drawn: the baseline and the best."""

from types import SimpleNamespace

import pandas as pd

from lightning_imbal.stats.drawn_methods import methods_of
from lightning_imbal.stats.results import Results
from lightning_imbal.tables.spec import Column, Metric, Row, Spec


def test_the_baseline_and_the_best_are_shown():
    names = [f"method {number}" for number in range(9)]
    f1 = dict(zip(names, [0.1, 0.9, 0.3, 0.8, 0.2, 0.7, 0.4, 0.6, 0.5], strict=True))
    column = Column(dataset="skin")
    spec = Spec(title="", columns=[column], rows={name: Row() for name in names}, metrics={"f1": Metric(score="f1")})
    place = {"dataset": "skin", "backbone": column.backbone, "runs": 1}
    classes = [
        {"row": name, "class": of, "f1": f1[name] + more, "train_images": 5} | place
        for name in names
        for of, more in (("a", 0.05), ("b", -0.05))
    ]
    cells = pd.DataFrame({"row": names, "baseline": "method 0"})
    runs = {column.title: {name: [SimpleNamespace(name=name)] for name in names}}
    methods = methods_of(Results(spec, [], cells, pd.DataFrame(classes), [], runs=runs))
    assert [method.name for method in methods] == names and [method.number for method in methods] == [*range(9)]
    assert [method.name for method in methods if method.shown] == [
        *("method 0", "method 1", "method 3", "method 5", "method 7", "method 8")
    ]
    assert [method.visible for method in methods[:3]] == [True, True, "legendonly"]
