"""What is said about the methods of a comparison: numbers from hand, no claim that the intervals do not bear."""

import re

import numpy as np
import pandas as pd
import pytest
import torch
from made_runs import write_test
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from lightning_imbal.report.tables.sheets import sheets
from lightning_imbal.stats.advice import advise
from lightning_imbal.stats.bootstrap import draw
from lightning_imbal.stats.results import collect, ranked
from lightning_imbal.tables.cell import Cell
from lightning_imbal.tables.comparison import COMPARED
from lightning_imbal.tables.spec import Column, Metric, Row, Spec

NAMES, COUNTS = ["a", "b", "c"], [500, 200, 100]
LABEL = np.repeat([0, 1, 2], [50, 20, 10])
MISSES_C = np.where(LABEL == 2, 0, LABEL)  # F1: a 100/110, b 1, c 0
FINDS_C = np.where(np.arange(80) < 10, 2, LABEL)  # F1: a 80/90, b 1, c 20/30
FINDS_2 = np.where(np.arange(80) >= 78, LABEL, MISSES_C)  # two of class c
FINDS_3 = np.where(np.arange(80) >= 77, LABEL, MISSES_C)  # three of them
CONFUSES_B = np.where(np.arange(80) // 4 == 13, 0, FINDS_C)  # as FINDS_C, but four images of b are taken for a


@pytest.fixture
def results(tmp_path):
    """The results of methods, given the predictions of each of their seeds or folds (None: not finished)."""

    def make(baseline, methods, label=LABEL, names=NAMES, counts=COUNTS, folds=False):
        number = max(map(len, methods.values()))
        column = Column(dataset="skin", seeds=list(range(number)))
        metrics = {score: Metric(score=score) for score in COMPARED[:3]}  # no sentence is of the others
        spec = Spec(title="Methods", columns=[column], rows={name: Row() for name in methods}, metrics=metrics)
        cells = []
        for name, runs in methods.items():
            for seed, predicted in enumerate(runs):
                cells.append(Cell(name, column, f"seed {seed}", None, tmp_path / f"{name}{seed}"))
                if predicted is not None:
                    certain, image = torch.eye(len(names))[predicted], np.arange(len(label)) + 1000 * seed * folds
                    identity = {"split": {"kind": "KFold", "fold": seed if folds else None}, "seed": 0}
                    groups = {"all": names}
                    write_test(cells[-1].folder, certain, label, image, names, counts, groups, prefix="", **identity)
        return ranked(collect(spec, cells, [], tmp_path, baseline))

    return make


def only(sentences, *words):
    [found] = [sentence for sentence in sentences if all(word in sentence for word in words)]
    return found


def macro_f1(predicted, weight, label=LABEL):
    """Of each resample (R, N), over the classes that it has."""
    scores = []
    for c in range(3):
        true, hits = weight @ (label == c), weight @ ((label == c) & (predicted == c))
        scores.append(np.where(true > 0, 2 * hits / (true + weight @ (predicted == c)).clip(1), np.nan))
    return np.nanmean(scores, axis=0)


def deviation(first, second, label=LABEL):
    """Of the difference in macro F1, over the resamples of the images."""
    weight = draw(len(label)).astype(float)
    return np.std(macro_f1(first, weight, label) - macro_f1(second, weight, label))


def around_zero(first, second, label=LABEL):
    """The same, but around a difference of 0: what the F1 of each class differs by, over its number of images."""
    lacking = 0.0
    for c in range(3):
        of_class = np.where(label == c, 1, 0)
        f1 = [
            2 * (of_class * (each == c)).sum() / max(1, of_class.sum() + (each == c).sum()) for each in (first, second)
        ]
        lacking += ((f1[0] - f1[1]) / 3) ** 2 / of_class.sum()
    return np.sqrt(deviation(first, second, label) ** 2 + lacking)


def f1_interval(hits, number):
    """Of a class of whose images and of those taken for it together so many are hits."""
    low, high = np.array(proportion_confint(hits, number, method="wilson"))
    return 2 * low / (1 + low), 2 * high / (1 + high)


def test_gain_and_loss_by_hand(results):
    said = advise(results("CE", {"CE": [MISSES_C], "LDAM": [FINDS_C]}), "CE")
    # (80/90 + 1 + 20/30) / 3 - (100/110 + 1 + 0) / 3 = 0.2155; 80 images have 79 degrees of freedom
    reach = stats.t.ppf(0.975, 79) * around_zero(FINDS_C, MISSES_C)
    assert said[0] == f"LDAM has a higher macro F1 than CE: +0.22 [{0.2155 - reach:.2f}, {0.2155 + reach:.2f}]."
    # (20/30 - 0 + 1 - 1) / 2 = 0.33. That of b is the same in both, that of c of the baseline in every resample.
    (found_low, found_high), (_, missed_high) = f1_interval(10, 20), f1_interval(0, 10)
    below, above = np.linalg.norm([20 / 30 - found_low, missed_high]) / 2, (found_high - 20 / 30) / 2
    gain = f"gains 0.33 F1 [{1 / 3 - below:.2f}, {1 / 3 + above:.2f}] on the two rarest classes (c, b)"
    trade = only(said, "LDAM against CE")
    # 80/90 - 100/110 = -0.02
    assert re.fullmatch(
        rf"LDAM against CE {re.escape(gain)} and perhaps loses 0\.02 \[-0\.\d\d, 0\.\d\d\] on the most common \(a\)\.",
        trade,
    ), trade


def test_the_other_way_round_gains_are_losses(results):
    said = advise(results("LDAM", {"CE": [MISSES_C], "LDAM": [FINDS_C]}), "LDAM")
    assert said[0] == (
        "No network has a distinguishably higher macro F1 than LDAM at this sample size (80 test images, 2 methods)."
    )
    assert said[2].startswith("CE has a lower macro F1 than LDAM: -0.22 [-0.")
    assert "CE against LDAM loses 0.33 F1 [-0.4" in said[3] and "perhaps gains 0.02 [-0." in said[3]
    assert not [sentence for sentence in said if "Being the best" in sentence], "of one nothing is chosen"


def test_several_are_told_in_one_sentence_and_the_trades_of_two(results):
    methods = {"CE": [MISSES_C], "LDAM": [FINDS_C], "RS": [LABEL], "RW": [FINDS_C]}
    said = advise(results("CE", methods), "CE")
    assert said[0].startswith("RS (+0.36 [0.1") and said[0].endswith("have a higher macro F1 than CE.")
    assert ", LDAM (+0.22 [0." in said[0] and " and RW (+0.22 [0." in said[0]
    assert said[2] == "RS can be told from every other network in macro F1."
    assert [sentence.partition(" against ")[0] for sentence in said[3:5]] == ["RS", "LDAM"]
    assert said[5] == "CE never finds c."
    assert not [sentence for sentence in said if "true difference" in sentence], "some are told apart"


def test_rows_that_cannot_be_told_from_the_best_are_named(results):
    found = results("CE", {"CE": [MISSES_C], "LDAM": [FINDS_C], "RS": [FINDS_C], "RW": [FINDS_C]})
    said = only(advise(found, "CE"), "Not to be told")
    assert said == "Not to be told from LDAM, the best in macro F1: RS and RW; choose among them by other reasons."
    # Of two networks, that they differ or not is said already.
    found = results("OHEM", {"OHEM": [MISSES_C], "DRS": [FINDS_C]})
    assert not [sentence for sentence in advise(found, "OHEM") if "told from" in sentence]


def test_what_the_best_owes_to_being_chosen(results):
    """By hand: chosen on a resample, measured on the images that it leaves out."""
    said = only(advise(results("CE", {"CE": [MISSES_C], "A": [FINDS_C], "B": [CONFUSES_B]}), "CE"), "Being the best")
    weight = draw(80)[:200].astype(float)
    on_resample, left_out = (
        [macro_f1(each, w) for each in (FINDS_C, CONFUSES_B, MISSES_C)] for w in (weight, 1.0 * (weight == 0))
    )
    corrected = np.where(on_resample[0] >= on_resample[1], left_out[0], left_out[1]) - left_out[2]
    assert said == (
        f"Being the best of 2 takes chance as well: A is +0.22 above CE, and {np.mean(corrected):+.2f} when corrected "
        "for that."
    )
    # Nothing is above a baseline that is the best.
    worse = results("OHEM", {"OHEM": [FINDS_C], "C": [MISSES_C], "D": [MISSES_C]})
    assert not [sentence for sentence in advise(worse, "OHEM") if "Being the best" in sentence]


def test_how_often_a_difference_that_matters_would_be_seen(results):
    """By hand: Student's t, at a level divided by the number of methods; of the methods in between."""
    one, three = (np.where((np.arange(80) >= 50) & (np.arange(80) < end), 0, MISSES_C) for end in (51, 53))
    methods = {"A": FINDS_2, "B": one, "C": three}  # two images of c are found; one or three of b are missed
    reach = stats.t.ppf(1 - 0.05 / 3 / 2, 79)
    seen = [stats.t.cdf(0.05 / deviation(each, MISSES_C) - reach, 79) for each in methods.values()]
    found = results("CE", {"CE": [MISSES_C]} | {name: [predicted] for name, predicted in methods.items()})
    said = only(advise(found, "CE"), "true difference")
    assert seen[0] < 0.1 < 0.3 < seen[2] < 0.7 < 0.9 < seen[1]
    assert said == f"A true difference of 0.05 would be seen in about {10 * np.median(seen):.0f} of 10 such tests."
    alone = results("OHEM", {"OHEM": [MISSES_C]} | {name: [FINDS_2] for name in "ABC"})
    assert only(advise(alone, "OHEM"), "true difference").endswith("would be seen in fewer than 1 of 10 such tests.")


def test_of_several_trainings_methods_are_compared(results):
    seeds = {"CE": [MISSES_C, MISSES_C], "RS": [FINDS_3, MISSES_C], "RW": [MISSES_C, FINDS_3]}
    said = advise(results("CE", seeds), "CE")
    assert said[0].startswith("No method is distinguishable from CE in macro F1 at this sample size (80 test images, ")
    assert not [sentence for sentence in said if "network" in sentence]


def test_folds_are_one_test_of_networks(results):
    folds = {"CE": [MISSES_C, MISSES_C], "RS": [MISSES_C, FINDS_2]}
    said = advise(results("CE", folds, folds=True), "CE")
    # Two of the 20 images of c in both folds: F1 a 200/218, b 1, c 4/22, less 200/220, 1 and 0
    assert said[0] == "RS is not distinguishable from CE in macro F1 at this sample size (160 test images, 2 methods)."
    assert only(said, "may be chance").startswith("RS has the highest macro F1, but that may be chance: +0.06 [")
    assert only(said, "trained once") == (
        "Each method was trained once for each fold: the chance of training is not in these intervals, and they are of "
        "these networks, not of the methods; use --seeds 0 1 2."
    )


def test_groups_are_what_was_drawn(results, tmp_path):
    split = pd.DataFrame({"image": [f"{number:04d}" for number in range(80)], "class": "a", "part": "test"})
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
        said[0] == "No network is distinguishable from CE in macro F1 at this sample size (80 test images, 3 methods)."
    )
    assert said[2].startswith("Mixup has the highest macro F1, but that may be chance: +0.01 [-0.0")
    none = "None of the 3 can be told from Mixup, the best in macro F1: choose among them by other reasons."
    assert said[4] == none
    assert "perhaps gains 0.01 F1" in only(said, "Mixup against CE")
    assert not any("RS" in sentence for sentence in said[:6])


def test_the_same_predictions_change_nothing(results):
    said = advise(results("CE", {"CE": [MISSES_C], "Copy": [MISSES_C]}), "CE")
    assert said[0] == "Copy is not distinguishable from CE in macro F1 at this sample size (80 test images, 2 methods)."
    assert only(said, "Copy against CE") == (
        "Copy against CE changes nothing on the two rarest classes (c, b) and changes nothing on the most common (a)."
    )
    assert not [sentence for sentence in said if "may be chance" in sentence or "true difference" in sentence]


def test_two_classes_have_one_rarest(results):
    label = np.repeat([0, 1], [60, 20])
    kwargs = {"label": label, "names": ["no", "yes"], "counts": [600, 200]}
    half = np.where(np.arange(80) < 70, 0, 1)
    said = advise(results("CE", {"CE": [half], "RS": [label]}, **kwargs), "CE")
    # 10 and 20 of 20 images are found: F1 20/30 and 1, and of the other class 120/130 and 1
    (half_low, half_high), (all_low, _) = f1_interval(10, 20), f1_interval(20, 20)
    low, high = 1 / 3 - np.hypot(1 - all_low, half_high - 2 / 3), 1 / 3 + 2 / 3 - half_low
    gain = f"gains 0.33 F1 [{low:.2f}, {high:.2f}] on the rarest class (yes) and gains 0.08"
    assert gain in only(said, "RS against CE").replace("perhaps ", "")


def test_methods_are_told_apart_by_the_corrected_p_value(results):
    found = results("CE", {"CE": [MISSES_C], "LDAM": [FINDS_C]})
    # As of one row of many; the baseline has none.
    found.cells["p_holm"] = 0.2 + 0 * found.cells["p_holm"]
    assert (found.cells["p_value"].dropna() < 0.05).any()
    assert advise(found, "CE")[0].startswith("LDAM is not distinguishable from CE")


def test_what_would_count_alone_does_not_count_among_four(results):
    finds_4 = np.where(np.arange(80) >= 76, LABEL, MISSES_C)
    alone = results("CE", {"CE": [MISSES_C], "A": [finds_4]})
    among = results("OHEM", {"OHEM": [MISSES_C]} | {name: [finds_4] for name in "ABCD"})
    # F1 a 100/106, b 1, c 8/14, less 100/110, 1 and 0
    p_value = 2 * stats.t.sf((100 / 106 + 8 / 14 - 100 / 110) / 3 / around_zero(finds_4, MISSES_C), 79)
    assert p_value < 0.05 < 4 * p_value
    for found, methods in ((alone, 1), (among, 4)):
        cells = found.cells[(found.cells["metric"] == next(iter(found.spec.metrics))) & found.cells["p_holm"].notna()]
        assert cells["p_value"].tolist() == pytest.approx([p_value] * methods, rel=1e-6)
        assert cells["p_holm"].tolist() == pytest.approx(list(methods * cells["p_value"]))
    assert advise(alone, "CE")[0].startswith("A has a higher macro F1 than CE: +0.20 [0.0")
    said = advise(among, "OHEM")
    assert said[0].startswith("No network is distinguishable from OHEM") and "that may be chance" in said[2]


def test_of_five_images_of_a_class_the_resamples_vary_too_little(results):
    """By hand: the variance of the resamples, and what is lacking around a difference of 0."""
    label = np.repeat([0, 1, 2], [50, 20, 5])
    misses = np.where(label == 2, 0, label)  # F1: a 100/105, b 1, c 0
    found = results("CE", {"CE": [misses], "A": [label]}, label=label)
    lacking = (1 / 3) ** 2 / 5 + ((1 - 100 / 105) / 3) ** 2 / 50
    spread = np.sqrt(deviation(label, misses, label) ** 2 + lacking)
    assert spread == pytest.approx(around_zero(label, misses, label))
    p_value = 2 * stats.t.sf((1 - 100 / 105 + 1) / 3 / spread, 74)
    assert 0.01 < p_value < 0.05 and lacking > 0.9 * spread**2
    assert found.cells.set_index(["row", "metric"])["p_value"]["A"]["f1"] == pytest.approx(p_value, rel=1e-6)
    reach = stats.t.ppf(0.975, 74) * spread
    said = f"A has a higher macro F1 than CE: +0.35 [{0.3492 - reach:.2f}, {0.3492 + reach:.2f}]."
    assert advise(found, "CE")[0] == said


def test_what_is_never_found(results):
    methods = {"CE": [MISSES_C, FINDS_2], "RS": [MISSES_C, MISSES_C], "RW": [MISSES_C, MISSES_C]}
    said = advise(results("CE", methods), "CE")
    assert only(said, "never") == "RS and RW never find c."
    # Wilson's interval of 0 of 10, whose upper end is 0.28.
    assert f"{proportion_confint(0, 10, method='wilson')[1]:.2f}" == "0.28"
    assert only(said, "room") == "So few test images leave room for a recall of c (10 images): up to 0.28."
    assert "No method ever finds c." in advise(results("A", {"A": [MISSES_C], "B": [MISSES_C]}), "A")
    said = advise(results("OHEM", {"OHEM": [MISSES_C], "DRS": [np.where(LABEL == 1, 0, LABEL)]}), "OHEM")
    assert "OHEM never finds c." in said and "DRS never finds b." in said
    assert [sentence.partition("recall of ")[2] for sentence in said if "room" in sentence] == [
        "c (10 images): up to 0.28."
    ], "20 images of b are enough"


@pytest.mark.filterwarnings("error")
def test_a_class_that_was_not_tested_is_not_missed(results):
    label = np.repeat([0, 1], [50, 20])
    found = results("CE", {"CE": [label], "RS": [label]}, label=label)
    assert found.cells.set_index(["row", "metric"])["p_value"]["RS"]["scr"] == 1, "the recall of c is 0 in both"
    said = advise(found, "CE")
    assert not [sentence for sentence in said if "find" in sentence or "nan" in sentence]
    assert "on the rarest class (b)" in said[1]


def test_one_run_each_has_no_chance_of_training(results):
    sentence = (
        "Each method was trained once: the chance of training is not in these intervals, and they are of these "
        "networks, not of the methods; use --seeds 0 1 2."
    )
    assert sentence in advise(results("CE", {"CE": [MISSES_C], "RS": [FINDS_C]}), "CE")
    twice = {"DRS": [MISSES_C, MISSES_C], "LDAM": [FINDS_C, FINDS_C]}
    assert not [said for said in advise(results("DRS", twice), "DRS") if "trained once" in said]


def test_missing_runs_are_named_and_not_compared(results):
    methods = {"CE": [MISSES_C, MISSES_C], "RS": [FINDS_C, None], "RW": [None, None]}
    said = advise(results("CE", methods), "CE")
    assert said == [
        "CE never finds c.",
        "So few test images leave room for a recall of c (10 images): up to 0.28.",
        "Runs are missing (RS 1 of 2, RW 0 of 2): only methods with the baseline's seeds or folds are tested.",
    ]


def test_baseline_without_runs(results):
    said = advise(results("CE", {"CE": [None], "RS": [FINDS_C]}), "CE")
    assert said[0] == "CE, the baseline, has no finished run, so no method is tested." and "CE 0 of 1" in said[1]
    assert advise(results("OHEM", {"OHEM": [None]}), "OHEM") == []


def test_where_nothing_was_learned_nothing_is_said_of_methods(results):
    guesses = np.random.default_rng(0).permutation(LABEL)
    found = results("CE", {"CE": [0 * LABEL], "RS": [0 * LABEL + 2], "LDAM": [guesses], "ECL": [None]})
    assert advise(found, "CE", "lightning_imbal compare --data.root x") == [
        "Nothing was learned: these runs say nothing about the methods.",
        "More epochs and pretrained weights may help, or another learning rate: lightning_imbal compare --data.root x",
        "Runs are missing (ECL 0 of 1): only methods with the baseline's seeds or folds are tested.",
    ]
    assert list(found.spec.rows) == ["CE", "RS", "LDAM", "ECL"], "not ranked"
    tests = ["p_value", "p_holm", "mcnemar", "mcnemar_holm", "p_best"]
    assert found.cells[tests].isna().all(axis=None) and (found.cells["best"] == "").all() and not found.winners
    told = found.cells.drop_duplicates("row").set_index("row")["remark"].to_dict()
    assert told == {"CE": 'answers only "a"', "RS": 'answers only "c"', "LDAM": "not above the floor", "ECL": ""}
    assert "skin: nothing was learned: these runs say nothing about the methods." in found.notes
    entries = [
        entry for sheet in sheets(found) for part in sheet.sections for each in part.columns.values() for entry in each
    ]
    assert entries and not any(entry.rank or entry.star for entry in entries), "none is the best"


def test_what_collapsed_is_named_and_left_out(results):
    methods = {"CE": [MISSES_C], "RS": [0 * LABEL], "LDAM": [FINDS_C]}
    found = results("CE", methods)
    said = advise(found, "CE")
    assert said[0].startswith('RS is left out here (answers only "a"): it cannot be told from what needs no training.')
    assert said[1].startswith("LDAM has a higher macro F1 than CE: +0.22 [")
    assert not any("RS" in sentence or "Nothing was learned" in sentence for sentence in said[1:])
    assert not any("nothing was learned" in note for note in found.notes)
    assert list(found.spec.rows) == ["LDAM", "CE", "RS"]
    # Of two rows the p-value is what it is without the third.
    alone = results("CE", {name: methods[name] for name in ("CE", "LDAM")})
    p_values = [
        each.cells[each.cells["row"] == "LDAM"][["metric", "p_value", "p_holm", "p_best"]] for each in (found, alone)
    ]
    assert np.array_equal(
        p_values[0].to_numpy()[:, 1:].astype(float), p_values[1].to_numpy()[:, 1:].astype(float), True
    )


def test_a_baseline_that_collapsed_is_none(results):
    said = advise(results("CE", {"CE": [0 * LABEL], "LDAM": [FINDS_C]}), "CE")
    assert said[0].startswith('CE is left out here (answers only "a")')
    assert said[1:] == ["CE, the baseline, is left out, so no method is tested: choose another one with --baseline."]
