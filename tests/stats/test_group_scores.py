"""Each lesion or patient counts once: against scikit-learn with weights, by hand, and against each image counting."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from made_predictions import NAMES, long_tailed, make, predicted
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, precision_recall_fscore_support

from lightning_imbal.runs.pooling import pooled
from lightning_imbal.stats.bootstrap import draw, percentiles, units_of
from lightning_imbal.stats.compared import Compared
from lightning_imbal.stats.group_scores import COLUMNS, group_scores, group_scores_of
from lightning_imbal.stats.rounds import Round
from lightning_imbal.stats.row_scores import NO_INTERVAL
from lightning_imbal.stats.unit_counts import UnitCounts


def nearly(value):
    return pytest.approx(value, abs=1e-12, rel=0, nan_ok=True)


def scores_of(*runs, average="mean"):
    found = group_scores({"row": [Round((run,)) for run in runs]}, average)
    return {f"{row['score']}/{row['class']}".rstrip("/"): row for row in found.to_dict("records")}


def weights(run):
    return (1 / pd.Series(run.unit).map(pd.Series(run.unit).value_counts())).to_numpy()


def test_against_scikit_learn_with_weights():
    run = long_tailed(150)
    found, w = scores_of(run), weights(run)
    assert w.sum() == nearly(len(set(run.unit))) and len(set(w.tolist())) > 2
    label, guess = run.label, run.probability.argmax(axis=1)
    _, recall, f1, _ = precision_recall_fscore_support(label, guess, sample_weight=w, labels=range(4), zero_division=0)
    assert found["f1"]["value"] == nearly(f1_score(label, guess, sample_weight=w, average="macro"))
    assert found["balanced_accuracy"]["value"] == nearly(balanced_accuracy_score(label, guess, sample_weight=w))
    assert found["accuracy"]["value"] == nearly(accuracy_score(label, guess, sample_weight=w))
    for c, name in enumerate(NAMES):
        assert found[f"recall/{name}"]["value"] == nearly(recall[c]) and found[f"f1/{name}"]["value"] == nearly(f1[c])
    assert found["f1"]["of_images"] == nearly(f1_score(label, guess, average="macro"))
    assert found["accuracy"]["of_images"] == nearly((label == guess).mean())


def test_by_hand():
    # Lesion a, nine pictures of nv, all wrong; lesions b (two, one right), and an image without a lesion, right.
    run = predicted([0] * 9 + [0, 0, 1], [1] * 9 + [0, 1, 1], unit=["a"] * 9 + ["b", "b", "image i0011"])
    found = scores_of(run)
    assert found["accuracy"]["value"] == nearly((0 + 1 / 2 + 1) / 3) and found["accuracy"]["of_images"] == nearly(
        2 / 12
    )
    assert found["recall/nv"]["value"] == nearly(1 / 4) and found["recall/nv"]["groups"] == 2
    assert found["f1/mel"]["value"] == nearly(2 * 1 / (1 + 2.5)) and found["f1/mel"]["groups"] == 1
    assert found["balanced_accuracy"]["value"] == nearly((1 / 4 + 1) / 2)
    assert found["accuracy"]["groups"] == 3
    # Of a class without images there is nothing, as elsewhere.
    assert found["f1/df"]["groups"] == 0 and np.isnan(found["recall/df"]["low"])


def test_a_group_of_two_classes_counts_as_one():
    # Two eyes of one patient, of two grades, beside two patients of one eye.
    found = scores_of(predicted([0, 1, 0, 1], [0, 0, 0, 1], unit=["p", "p", "q", "r"]))
    assert found["accuracy"]["value"] == nearly((1 / 2 + 1 + 1) / 3)
    assert found["recall/mel"]["value"] == nearly(1 / 1.5) and found["recall/mel"]["groups"] == 2


def test_groups_of_one_size_count_as_their_images():
    """Then every weight is the same: no score and no interval is another one."""
    label = np.repeat([0, 0, 0, 0, 1, 1, 2, 2, 3] * 5, 4)
    guess = np.where(np.random.default_rng(0).random(len(label)) < 0.6, label, 0)
    run = predicted(label, guess, unit=np.repeat([f"lesion {u}" for u in range(45)], 4))
    once, images = (UnitCounts([Round((run,), units_once)]) for units_once in (True, False))
    for score in ("recall", "precision", "f1"):
        of_once, of_images = once.intervals(score), images.intervals(score)
        assert np.allclose(of_once.low, of_images.low, rtol=0, atol=1e-12)
        assert np.allclose(of_once.high, of_images.high, rtol=0, atol=1e-12)
    assert once.accuracy().low == nearly(images.accuracy().low)
    rows = {name: [Round((run,), name == "once")] for name in ("once", "images")}
    compared = Compared(rows, ["f1", "balanced_accuracy", "accuracy"])
    for key in ("f1", "balanced_accuracy", "accuracy"):
        assert compared.rows["once"].interval(key) == nearly(compared.rows["images"].interval(key))


def test_where_no_image_has_a_group_nothing_changes():
    run = long_tailed(120)
    run = replace(run, unit=np.char.add("image ", run.image))
    alone, as_it_is = (Compared({"row": [Round((run,), once)]}, ["f1", "f1/df"]).rows["row"] for once in (True, False))
    assert alone.value("f1") == as_it_is.value("f1") and alone.interval("f1") == as_it_is.interval("f1")
    assert alone.interval("f1/df") == as_it_is.interval("f1/df") != NO_INTERVAL


def test_intervals_are_of_resampled_units_with_their_weights():
    """By loops: each unit that is drawn brings all its images, each by its weight."""
    run = long_tailed(400)
    round_ = Round((run,), units_once=True)
    units, w, guess = list(units_of({"row": [round_]})), weights(run), run.answers
    values = []
    for count in draw(len(units), 60).tolist():
        drawn = np.array([count[units.index(unit)] for unit in run.unit])
        kept = drawn > 0
        of = {"sample_weight": (drawn * w)[kept], "average": "macro", "labels": np.unique(run.label[kept])}
        values.append(f1_score(run.label[kept], guess[kept], **of))
    row = Compared({"row": [round_]}, ["f1"], resamples=60).rows["row"]
    assert row.averages("f1").tolist() == nearly(values)
    low, high = row.interval("f1")
    assert low <= percentiles(np.array(values))[0] < percentiles(np.array(values))[1] <= high


def test_images_that_are_alike_tell_no_more_than_one():
    """100 lesions of many sizes, wholly right or wrong: as uncertain as 100 images; by images it is more uncertain."""
    size = np.resize([1, 1, 1, 9], 100)
    right = np.random.default_rng(1).random(100) < 0.7
    label, guess = np.full(size.sum(), 3), np.where(right, 3, 0).repeat(size)
    run = predicted(label, guess, unit=np.repeat([f"lesion {u}" for u in range(100)], size))
    one = predicted([3] * 100, np.where(right, 3, 0))
    once, of_one, images = (UnitCounts([each]) for each in (Round((run,), True), Round((one,)), Round((run,))))
    found, expected = once.intervals("recall"), of_one.intervals("recall")
    assert found.value[3] == nearly(right.mean())
    assert found.low[3] == pytest.approx(expected.low[3], abs=0.005)
    assert found.high[3] == pytest.approx(expected.high[3], abs=0.005)
    assert images.accuracy().high[0] - images.accuracy().low[0] > 1.3 * (found.high[3] - found.low[3])
    assert once.effective[3] == nearly(100.0) and images.effective[3] < 50


def test_several_seeds_are_averaged_and_folds_joined():
    one, two = long_tailed(90), long_tailed(90, noise=1)
    found = scores_of(one, two)
    each = [scores_of(run)["f1"]["value"] for run in (one, two)]
    assert found["f1"]["value"] == nearly(np.mean(each)) and each[0] != each[1]
    # A lesion in two folds is one lesion.
    folds = tuple(one.only(np.arange(90) % 2 == fold) for fold in range(2))
    joined = Round(folds, units_once=True)
    assert joined.image_weight.sum() == nearly(len(set(one.unit)))
    assert joined.scores(["accuracy"])["accuracy"][0] == nearly(scores_of(one)["accuracy"]["value"])
    # What ranks is scored in each fold, by the weights of all.
    w = weights(one)
    expected = [
        Round((fold,)).scores(["ece"], w[None, np.arange(90) % 2 == n])["ece"][0] for n, fold in enumerate(folds)
    ]
    assert joined.scores(["ece"])["ece"][0] == nearly(np.mean(expected))


def test_of_rows_without_groups_nothing_is_said():
    run = long_tailed(60)
    alone = make(run.label, run.probability)
    found = group_scores({"groups": [Round((run,))], "pooled": [Round((alone,))]})
    assert set(found["row"]) == {"groups"} and len(found) == 3 + 2 * 4
    assert group_scores({"alone": [Round((alone,))]}).empty and group_scores({}).empty
    one_label = replace(run, unit=np.array([f"{u} of {label}" for u, label in zip(run.unit, run.label, strict=True)]))
    assert group_scores({"row": [Round((pooled(one_label, "mean"),))]}).empty


def test_what_a_rule_answers_is_scored():
    run = long_tailed(60)
    always = replace(run, decided=np.zeros(60, dtype=np.int64))
    assert scores_of(always)["recall/nv"]["value"] == 1 and scores_of(run)["recall/nv"]["value"] < 1


def test_only_of_a_round_keeps_how_it_counts():
    round_ = Round((long_tailed(60),), units_once=True)
    assert round_.only(True).units_once


@pytest.mark.parametrize("average", ["mean", "median"])
def test_of_a_table_in_its_scale_with_its_columns(average):
    runs = [SimpleNamespace(predictions=long_tailed(60, noise=n), identity={"split": {}, "seed": n}) for n in range(3)]
    column = SimpleNamespace(dataset="skin", backbone="resnet")
    spec = SimpleNamespace(average=average, scale=100)
    block = SimpleNamespace(done={"CE": runs, "old": []}, known={"CE": runs}, spec=spec, column=column)
    empty = SimpleNamespace(done={}, known={}, spec=spec, column=column)
    found = group_scores_of([empty, block])
    expected = scores_of(*(run.predictions for run in runs), average=average)
    assert found.columns.tolist() == COLUMNS and set(found["backbone"]) == {"resnet"}
    for row, name in zip(found.to_dict("records"), expected, strict=True):
        for number in ("value", "low", "high", "of_images"):
            assert row[number] == pytest.approx(100 * expected[name][number], nan_ok=True)
        assert row["groups"] == expected[name]["groups"] and row["dataset"] == "skin"
    assert group_scores_of([empty]).empty
