"""Which interval a score has, and what it is, by hand and from the resamples."""

import numpy as np
import pytest
from made_predictions import NAMES, long_tailed, make, predicted
from scipy import stats

from lightning_imbal.stats.bootstrap import percentiles
from lightning_imbal.stats.compared import Compared
from lightning_imbal.stats.proportions import Intervals
from lightning_imbal.stats.rounds import Round
from lightning_imbal.stats.row_scores import MEANS, correlation, recovered
from lightning_imbal.stats.unit_counts import UnitCounts

KEYS = ["accuracy", "balanced_accuracy", "f1", "precision", "scr", "auc", "mcc", "kappa", "kendall_tau", "ece"]
KEYS += ["mean_grade_error", "macro_grade_error", "adjacent_accuracy"]
KEYS += ["f1/nv", "group_f1/minor", "group_recall/middle"]


def nearly(value, abs=1e-9):
    return pytest.approx(value, abs=abs, rel=0, nan_ok=True)


def row_of(*runs, keys=KEYS, resamples=200, average="mean"):
    return Compared({"row": [Round((run,)) for run in runs]}, keys, average, resamples).rows["row"]


def many(seed=0, noise=0, images=400):
    run = long_tailed(images, seed=seed, noise=noise)
    return make(run.label, run.probability, image=run.image)


def test_class_scores_and_accuracy_are_proportions():
    row, counts = row_of(many()), UnitCounts([Round((many(),))])
    for key, found, c in (
        ("accuracy", counts.accuracy(), 0),
        ("adjacent_accuracy", counts.accuracy(off=1), 0),
        ("scr", counts.intervals("recall"), 3),
        ("f1/nv", counts.intervals("f1"), 0),
        ("precision/mel", counts.intervals("precision"), 1),
    ):
        assert row.interval(key) == nearly((found.low[c], found.high[c])), key


def test_means_over_classes_with_many_units_are_percentiles():
    row = row_of(many())
    assert row.counts.units.min() >= 10 and not row.few("f1")
    for key in ("f1", "balanced_accuracy", "auc", "mcc", "group_f1/minor", "mean_grade_error", "macro_grade_error"):
        low, high = percentiles(row.resampled[key][0])
        value = row.value(key)
        stretch = stats.t.ppf(0.975, 399) / stats.norm.ppf(0.975) * np.sqrt(400 / 399)
        assert row.interval(key) == nearly((value - stretch * (value - low), value + stretch * (high - value)), 1e-6)


def test_a_class_of_few_units_changes_the_interval_of_the_means_it_is_in():
    run = many()
    row = row_of(run.only((run.label != 3) | (np.cumsum(run.label == 3) <= 7)))
    assert row.counts.units[3] == 7 and row.counts.units[:3].min() >= 10
    few = [key for key in KEYS if row.few(key)]
    assert few == ["balanced_accuracy", "f1", "precision", "scr", "auc", "macro_grade_error", "group_f1/minor"]
    assert np.isnan(row.interval("macro_grade_error")).all()
    f1 = row.of_classes("f1")
    together = correlation([row.averages(f"f1/{name}") for name in NAMES])
    assert row.interval("f1") == nearly(recovered(row.value("f1"), np.full(4, 0.25), f1, together))
    assert row.interval("group_f1/minor") == nearly((f1.low[3], f1.high[3]))
    assert row.interval("group_recall/middle") != nearly(recovered(0.5, np.full(4, 0.25), f1, together))


def test_auc_of_a_class_is_of_two_normal_distributions():
    run = many()
    row = row_of(run, keys=["auc/mel"])
    values = np.array([row.observed[f"auc/{name}"][0] for name in NAMES])
    found = UnitCounts([Round((run,))]).auc(values, np.zeros(4))
    assert row.interval("auc/mel") == nearly((found.low[1], found.high[1]))


def test_scores_by_probability_are_percentiles_where_enough_images_decide_them():
    """Of a specificity at a sensitivity of 0.9, and of the partial AUC, those are a tenth of the class."""
    run = many()
    kept = (run.label != 3) | (np.cumsum(run.label == 3) <= 12)
    ranking = ["ap", "sensitivity_at_90", "sensitivity_at_95", "specificity_at_90", "pauc"]
    keys = [f"{key}{part}" for key in ranking for part in ("", "/nv", "/mel", "/df")] + ["brier", "log_loss"]
    row = row_of(run.only(kept), keys=keys)
    units = row.counts.units
    assert units[3] == 12 and units[1] < 100 <= units[0]
    without = [key for key in keys if np.isnan(row.interval(key)).all()]
    assert without == [f"{key}{part}" for key in ("specificity_at_90", "pauc") for part in ("", "/mel", "/df")]
    few = row_of(run.only((run.label != 3) | (np.cumsum(run.label == 3) <= 9)), keys=["ap", "ap/df", "ap/nv"])
    assert [np.isnan(few.interval(key)).all() for key in ("ap", "ap/df", "ap/nv")] == [True, True, False]
    low, high = percentiles(row.resampled["ap/nv"][0])
    assert row.interval("ap/nv") == nearly((low, high), 0.002)


def test_intervals_end_where_the_score_does():
    label = many().label
    wrong = row_of(predicted(label, (label + 1) % 4), keys=["log_loss", "brier"])
    low, high = wrong.interval("log_loss")
    assert np.isnan(low) or 1 < low < high, "every image has the same"
    drawn = row_of(make(label, np.eye(4)[(label + (np.arange(400) % 8 > 0)) % 4]), keys=["log_loss", "brier"])
    low, high = drawn.interval("log_loss")
    assert 20 < low < drawn.value("log_loss") < high
    low, high = drawn.interval("brier")
    assert 1 < low < drawn.value("brier") < high <= 2
    grades = row_of(predicted(np.repeat([0, 3], 40), np.repeat([3, 2, 0], [39, 1, 40])), keys=["mean_grade_error"])
    low, high = grades.interval("mean_grade_error")
    assert 2.9 < low < grades.value("mean_grade_error") < high == 3
    assert row_of(many(), keys=["pauc/nv"]).interval("pauc/nv")[1] <= 0.2


def test_a_difference_in_what_few_images_decide_is_uncertain():
    run = many()
    row = row_of(run, keys=["pauc/df", "ap/df", "ap", "mcc"])
    effective = row.counts.effective
    assert row.hangs_on("ap/df") == nearly(effective[3]) and row.hangs_on("pauc/df") == nearly(effective[3] / 10)
    assert row_of(run, keys=["macro_grade_error"]).hangs_on("macro_grade_error") == nearly(effective.min())
    assert row.hangs_on("ap") == nearly(effective.min()) and row.hangs_on("mcc") == row.counts.all_effective


def test_a_perfect_classifier_has_intervals_with_a_width_where_there_is_one():
    label = np.repeat([0, 1, 2, 3], [40, 20, 12, 4])
    row = row_of(predicted(label, label))
    for key in ("accuracy", "balanced_accuracy", "f1", "precision", "scr", "auc", "f1/nv", "adjacent_accuracy"):
        low, high = row.interval(key)
        assert low < high == 1.0, key
    for key in ("mcc", "kappa", "kendall_tau", "ece"):
        assert np.isnan(row.interval(key)).all(), "resamples do not vary"


def test_no_interval_leaves_its_scale():
    for seed in range(5):
        row = row_of(long_tailed(30, seed=seed), long_tailed(30, seed=seed, noise=1))
        for key in KEYS:
            low, high = row.interval(key)
            highest = 3 if key.endswith("grade_error") else 1
            assert np.isnan(low) or (-1 if key in ("mcc", "kappa", "kendall_tau") else 0) <= low < high <= highest, key


def test_worse_than_guessing_is_below_zero():
    label = many().label
    low, high = row_of(predicted(label, np.where(np.arange(400) % 7 == 0, label, (label + 1) % 4))).interval("mcc")
    assert low < high < 0


@pytest.mark.parametrize("key", ["ece", "cce", "cce/nv"])
def test_calibration_error_has_none(key):
    assert np.isnan(row_of(many(), keys=[key]).interval(key)).all()


@pytest.mark.parametrize(("average", "more"), [("mean", 1.0), ("median", np.pi / 2)])
def test_rounds_widen_the_percentiles_by_what_they_vary(average, more):
    runs = [many(noise=noise) for noise in range(3)]
    row = row_of(*runs, average=average)
    take = np.mean if average == "mean" else np.median
    scores, value = row.observed["mcc"], take(row.observed["mcc"])
    assert row.value("mcc") == nearly(value)
    low, high = percentiles(take(row.resampled["mcc"], axis=0))
    of_rounds = scores.var(ddof=1) / 3 * more
    for end, reach in zip(row.interval("mcc"), (low - value, high - value), strict=True):
        of_images = (reach / stats.norm.ppf(0.975)) ** 2 * 400 / 399
        freedom = (of_images + of_rounds) ** 2 / (of_images**2 / 399 + of_rounds**2 / 2)
        expected = value + np.sign(reach) * stats.t.ppf(0.975, freedom) * np.sqrt(of_images + of_rounds)
        assert end == nearly(expected, 1e-6)


def test_what_means_are_made_of():
    run = predicted([0, 0, 1, 3], [0, 1, 1, 3])  # no image of bkl/lk
    row = row_of(run)
    weights = {key: row.weights(key)[1].tolist() for key in ("balanced_accuracy", "f1", "group_recall/middle", "scr")}
    assert weights == {
        "balanced_accuracy": nearly([1 / 3, 1 / 3, 0, 1 / 3]),
        "f1": nearly([1 / 4, 1 / 4, 0, 1 / 4]),
        "group_recall/middle": nearly([0, 1, 0, 0]),
        "scr": [0, 0, 0, 1],
    }
    assert row.weights("group_f1/middle")[1].tolist() == nearly([0, 1 / 2, 0, 0])
    assert row.weights("mcc") is None and row.weights("accuracy") is None
    for key in ("balanced_accuracy", "f1", "precision", "group_f1/middle"):
        kind, weight = row.weights(key)
        assert kind == MEANS[key.partition("/")[0]][0]
        value = np.nan_to_num(row.of_classes(kind).value) @ weight
        assert value == nearly(row.counts and Round((run,)).scores([key])[key].item()), key


def test_recovered_by_hand():
    """Of a difference, the lower end goes with the lower one of the first score and the upper one of the other."""
    both = Intervals(np.array([0.8, 0.5]), np.array([0.6, 0.3]), np.array([0.9, 0.9]))
    low, high = recovered(0.3, np.array([1.0, -1.0]), both, np.eye(2))
    assert (low, high) == nearly((0.3 - np.hypot(0.2, 0.4), 0.3 + np.hypot(0.1, 0.2)))
    low, high = recovered(0.3, np.array([1.0, -1.0]), both, np.ones((2, 2)))
    assert (low, high) == nearly((0.3 - 0.2, 0.3 + 0.1))
    low, high = recovered(0.65, np.array([0.5, 0.5]), both, np.eye(2))
    assert (low, high) == nearly((0.65 - np.hypot(0.1, 0.1), 0.65 + np.hypot(0.05, 0.2)))


def test_correlation_leaves_out_what_a_resample_lacks():
    first, second = np.array([1.0, 2.0, 3.0, np.nan]), np.array([2.0, 4.0, 6.0, 4.0])
    found = correlation([first, second, np.full(4, 0.5)])
    assert found == nearly(np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1]]))
