"""What is said about the methods of a comparison: numbers from hand, no claim that the intervals do not bear."""

import json
import re

import numpy as np
import pandas as pd
import pytest
import torch

from lightning_imbal.callbacks.results_writer import summarize
from lightning_imbal.metrics import ImbalReport
from lightning_imbal.stats.advice import advise
from lightning_imbal.stats.bootstrap import draw, interval
from lightning_imbal.stats.results import collect, ranked
from lightning_imbal.tables.cell import Cell
from lightning_imbal.tables.comparison import COMPARED
from lightning_imbal.tables.spec import Column, Metric, Row, Spec

NAMES, COUNTS = ["a", "b", "c"], [500, 200, 100]
LABEL = np.repeat([0, 1, 2], [50, 20, 10])
MISSES_C = np.where(LABEL == 2, 0, LABEL)  # F1: a 100/110, b 1, c 0
FINDS_C = np.where(np.arange(80) < 10, 2, LABEL)  # F1: a 80/90, b 1, c 20/30


def leave(folder, predicted, label=LABEL, names=NAMES, counts=COUNTS):
    """Leaves what a run leaves that predicted these classes with certainty."""
    report = ImbalReport(counts, names, {"all": names})
    report.update(torch.eye(len(names))[predicted], torch.tensor(label), torch.arange(len(label)))
    found = report.predictions()
    identity = {"name": folder.name, "commit": "abc", "versions": {"torch": "2"}, "backbone": "resnet18"}
    identity |= {"data": "ISIC2018", "split": {"kind": "Holdout"}, "part": "test"}
    folder.mkdir(parents=True, exist_ok=True)
    content = {"identity": identity, **summarize(report.compute(), found, report)}
    (folder / "metrics.json").write_text(json.dumps(content))
    table = pd.DataFrame(found["probability"].numpy(), columns=[f"probability/{name}" for name in names])
    table.insert(0, "image", [f"{number:03d}" for number in range(len(label))])
    table.insert(1, "label", np.array(names)[label])
    table.to_parquet(folder / "predictions.parquet")


@pytest.fixture
def results(tmp_path):
    """The results of methods, given the predictions of each of their runs (None: not finished)."""

    def make(baseline, methods, **kwargs):
        number = max(map(len, methods.values()))
        column = Column(dataset="skin", seeds=list(range(number)))
        metrics = {score: Metric(score=score) for score in COMPARED}
        spec = Spec(title="Methods", columns=[column], rows={name: Row() for name in methods}, metrics=metrics)
        cells = []
        for name, runs in methods.items():
            for seed, predicted in enumerate(runs):
                cells.append(Cell(name, column, f"seed {seed}", None, tmp_path / f"{name}{seed}"))
                if predicted is not None:
                    leave(cells[-1].folder, predicted, **kwargs)
        return ranked(collect(spec, cells, [], tmp_path, baseline))

    return make


def only(sentences, *words):
    [found] = [sentence for sentence in sentences if all(word in sentence for word in words)]
    return found


def macro_f1(label, predicted, weight):
    scores = []
    for c in range(3):
        hit = weight[(label == c) & (predicted == c)].sum()
        either = weight[label == c].sum() + weight[predicted == c].sum()
        scores.append(2 * hit / either if either else 0.0)
    return np.mean(scores)


def test_gain_and_loss_by_hand(results):
    said = advise(results("CE", {"CE": [MISSES_C], "LDAM": [FINDS_C]}), "CE")
    weights = draw(80).astype(float)
    weights = weights[[all(weight[c == LABEL].any() for c in range(3)) for weight in weights]]
    low, high = interval(
        np.array([macro_f1(LABEL, FINDS_C, weight) - macro_f1(LABEL, MISSES_C, weight) for weight in weights])
    )
    # (80/90 + 1 + 20/30) / 3 - (100/110 + 1 + 0) / 3 = 0.2155
    assert said[0] == f"LDAM has a higher macro F1 than CE: +0.22 [{low:.2f}, {high:.2f}]."
    trade = only(said, "LDAM against CE")
    # (20/30 - 0 + 1 - 1) / 2 = 0.33; 80/90 - 100/110 = -0.02
    assert re.fullmatch(
        r"LDAM against CE gains 0\.33 F1 \[0\.2\d, 0\.4\d\] on the two rarest classes \(c, b\) and perhaps loses 0\.02 "
        r"\[-0\.\d\d, 0\.\d\d\] on the most common \(a\)\.",
        trade,
    ), trade


def test_the_other_way_round_gains_are_losses(results):
    said = advise(results("LDAM", {"CE": [MISSES_C], "LDAM": [FINDS_C]}), "LDAM")
    assert said[0] == (
        "No method has a distinguishably higher macro F1 than LDAM at this sample size (80 test images, 2 methods)."
    )
    assert said[1].startswith("CE has a lower macro F1 than LDAM: -0.22 [-0.")
    assert "CE against LDAM loses 0.33 F1 [-0.4" in said[2] and "perhaps gains 0.02 [-0." in said[2]


def test_several_are_told_in_one_sentence_and_the_trades_of_two(results):
    methods = {"CE": [MISSES_C], "LDAM": [FINDS_C], "RS": [LABEL], "RW": [FINDS_C]}
    said = advise(results("CE", methods), "CE")
    assert said[0].startswith("RS (+0.36 [0.3") and said[0].endswith("have a higher macro F1 than CE.")
    assert ", LDAM (+0.22 [0." in said[0] and " and RW (+0.22 [0." in said[0]
    assert [sentence.partition(" against ")[0] for sentence in said[1:3]] == ["RS", "LDAM"]
    assert said[3] == "CE never finds c."


def test_groups_are_what_was_drawn(results, tmp_path):
    split = pd.DataFrame({"image": [f"{number:03d}" for number in range(80)], "class": "a", "part": "test"})
    for run in ("CE0", "RS0"):
        (tmp_path / run / "stage1").mkdir(parents=True)
        split.assign(group=[f"patient {number // 2}" for number in range(80)]).to_csv(
            tmp_path / run / "stage1" / "split.csv", index=False
        )
    said = advise(results("CE", {"CE": [MISSES_C], "RS": [MISSES_C]}), "CE")
    assert "(80 test images of 40 groups, 2 methods)" in said[0]


def test_chance_is_no_difference(results):
    almost = MISSES_C.copy()
    almost[0] = 1  # one image of 80
    said = advise(results("CE", {"CE": [almost], "Mixup": [MISSES_C], "RS": [almost]}), "CE")
    assert (
        said[0] == "No method is distinguishable from CE in macro F1 at this sample size (80 test images, 3 methods)."
    )
    assert said[1].startswith("Mixup has the highest macro F1, but that may be chance: +0.01 [0.00, ")
    assert "perhaps gains 0.01 F1" in only(said, "Mixup against CE")
    assert not any("RS" in sentence for sentence in said[:3])


def test_the_same_predictions_change_nothing(results):
    said = advise(results("CE", {"CE": [MISSES_C], "Copy": [MISSES_C]}), "CE")
    assert said[0] == "Copy is not distinguishable from CE in macro F1 at this sample size (80 test images, 2 methods)."
    assert only(said, "Copy against CE") == (
        "Copy against CE perhaps changes nothing [0.00, 0.00] on the two rarest classes (c, b) and perhaps changes "
        "nothing [0.00, 0.00] on the most common (a)."
    )


def test_two_classes_have_one_rarest(results):
    label = np.repeat([0, 1], [60, 20])
    kwargs = {"label": label, "names": ["no", "yes"], "counts": [600, 200]}
    said = advise(results("CE", {"CE": [0 * label], "RS": [label]}, **kwargs), "CE")
    assert "gains 1.00 F1 [1.00, 1.00] on the rarest class (yes) and gains 0.14" in only(said, "RS against CE")


def test_methods_are_told_apart_by_the_corrected_p_value(results):
    found = results("CE", {"CE": [MISSES_C], "LDAM": [FINDS_C]})
    # As of one row of many; the baseline has none.
    found.cells["p_holm"] = 0.2 + 0 * found.cells["p_holm"]
    assert (found.cells["p_value"].dropna() < 0.05).any()
    assert advise(found, "CE")[0].startswith("LDAM is not distinguishable from CE")


def test_what_would_count_alone_does_not_count_among_four(results):
    somewhat = MISSES_C.copy()
    somewhat[70:74] = 2  # finds four of the ten images of class c
    alone = results("CE", {"CE": [MISSES_C], "A": [somewhat]})
    among = results("OHEM", {"OHEM": [MISSES_C]} | {name: [somewhat] for name in "ABCD"})
    for found, methods in ((alone, 1), (among, 4)):
        cells = found.cells[(found.cells["metric"] == next(iter(found.spec.metrics))) & found.cells["p_holm"].notna()]
        assert cells["p_value"].tolist() == pytest.approx([0.033] * methods, abs=0.005)
        assert cells["p_holm"].tolist() == pytest.approx(list(methods * cells["p_value"]))
    assert advise(alone, "CE")[0].startswith("A has a higher macro F1 than CE: +0.20 [0.")
    said = advise(among, "OHEM")
    assert said[0].startswith("No method is distinguishable from OHEM") and "that may be chance" in said[1]


def test_what_is_never_found(results):
    methods = {"CE": [MISSES_C, FINDS_C], "RS": [MISSES_C, MISSES_C], "RW": [MISSES_C, MISSES_C]}
    said = advise(results("CE", methods), "CE")
    assert only(said, "never") == "RS and RW never find c."
    said = advise(results("OHEM", {"OHEM": [0 * LABEL], "DRS": [MISSES_C]}), "OHEM")
    assert "No method ever finds c." in said and "OHEM never finds b." in said


def test_a_class_that_was_not_tested_is_not_missed(results):
    label = np.repeat([0, 1], [50, 20])
    said = advise(results("CE", {"CE": [label], "RS": [label]}, label=label), "CE")
    assert not [sentence for sentence in said if "find" in sentence or "nan" in sentence]
    assert "on the rarest class (b)" in said[1]


def test_one_run_each_has_no_chance_of_training(results):
    sentence = "Each method ran once: the chance of training is not in these intervals; use --folds 5 or --seeds 0 1 2."
    assert sentence in advise(results("CE", {"CE": [MISSES_C], "RS": [FINDS_C]}), "CE")
    twice = {"DRS": [MISSES_C, MISSES_C], "LDAM": [FINDS_C, FINDS_C]}
    assert sentence not in advise(results("DRS", twice), "DRS")


def test_missing_runs_are_named_and_not_compared(results):
    methods = {"CE": [MISSES_C, MISSES_C], "RS": [FINDS_C, None], "RW": [None, None]}
    said = advise(results("CE", methods), "CE")
    assert said == [
        "CE never finds c.",
        "Runs are missing (RS 1 of 2, RW 0 of 2): only methods with the baseline's seeds or folds are tested.",
    ]


def test_baseline_without_runs(results):
    said = advise(results("CE", {"CE": [None], "RS": [FINDS_C]}), "CE")
    assert said[0] == "CE, the baseline, has no finished run, so no method is tested." and "CE 0 of 1" in said[1]
    assert advise(results("OHEM", {"OHEM": [None]}), "OHEM") == []
