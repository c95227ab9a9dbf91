"""Resampled scores, and the drawing of resamples, against scipy, scikit-learn and the scores of a run."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from made_predictions import GROUPS, NAMES, long_tailed, make, predicted
from scipy import stats
from sklearn import metrics as sk
from statsmodels.stats.multitest import multipletests

from lightning_imbal.metrics import classification_scores
from lightning_imbal.stats import bootstrap as statistics_module
from lightning_imbal.stats import resampled_scores as scores_module
from lightning_imbal.stats.bootstrap import draw, holm, percentiles, resampled_rounds, units_of
from lightning_imbal.stats.resampled_scores import resampled_scores
from lightning_imbal.stats.rounds import Round

KEYS = ["accuracy", "balanced_accuracy", "f1", "precision", "recall", "scr", "auc", "mcc", "kappa", "kendall_tau"]
KEYS += ["mean_grade_error", "macro_grade_error", "adjacent_accuracy"]
RANKING = ["auc", "ap", "sensitivity_at_90", "sensitivity_at_95", "specificity_at_90", "pauc"]
KEYS += [*RANKING[1:], "ece", "cce", "brier", "log_loss"]
KEYS += [f"{key}/{name}" for key in ("f1", "precision", "recall", *RANKING, "cce") for name in NAMES]
KEYS += [f"{key}/{group}" for key in ("group_recall", "group_f1") for group in GROUPS]
IN_PAIRS = ["accuracy", "f1", "f1/df", "ece"]


def exactly(value):
    return pytest.approx(value, abs=1e-12, rel=0, nan_ok=True)


def repeated(predictions, times):
    """The images of a resample, one row each time that an image is drawn."""
    label, probability = predictions.label.repeat(times), predictions.probability.repeat(times, axis=0)
    return make(label, probability, names=predictions.class_names, counts=predictions.class_counts)


@pytest.fixture
def reference(monkeypatch):
    """`classification_scores` without the rounding of torchmetrics, which divides counts in float32."""
    monkeypatch.setattr(torch.Tensor, "float", torch.Tensor.double)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)

    def score(predictions):
        return classification_scores(
            torch.from_numpy(predictions.probability),
            torch.from_numpy(predictions.label),
            list(predictions.class_counts),
            list(predictions.class_names),
            {group: list(members) for group, members in predictions.groups.items()},
        )

    yield score
    torch.set_default_dtype(before)


CASES = {
    "all classes": long_tailed(300),
    "ties": long_tailed(300, seed=1, decimals=1),
    "no image of the rarest class": long_tailed(200, seed=2, classes=(0, 1, 2)),
    "one class": long_tailed(40, seed=3, classes=(1,)),
    "constant prediction": predicted(long_tailed(50).label, np.full(50, 2)),
    "constant probability": make(long_tailed(50).label, np.full((50, 4), 0.25)),
    "wrong only": predicted([0, 0, 1, 2, 3], [1, 1, 0, 3, 2]),
    "a single image": predicted([3], [1]),
    "rounded above 1": make([0, 1, 0], [[1.0000001, 0, 0, 0], [1, 0, 0, 0], [0.6, 0.4, 0, 0]]),
}


@pytest.mark.parametrize("case", CASES)
def test_scores_without_resampling_are_those_of_the_run(case, reference):
    predictions, expected = CASES[case], reference(CASES[case])
    assert sorted(KEYS) == sorted(expected)
    got = resampled_scores(predictions, np.ones((2, len(predictions.label))), KEYS)
    assert list(got) == KEYS
    assert all(value.shape == (2,) and value.dtype == np.float64 for value in got.values())
    for row in range(2):
        assert {key: value[row] for key, value in got.items()} == exactly(expected)


def test_scores_of_two_classes_are_those_of_the_run(reference):
    names, groups = ("benign", "malignant"), {"minor": ("malignant",)}
    rng = np.random.default_rng(0)
    probability = rng.random(60).round(2)[:, None] * [1, -1] + [0, 1]
    predictions = make(rng.integers(0, 2, 60), probability, names=names, counts=(9, 1), groups=groups)
    expected = reference(predictions)
    got = resampled_scores(predictions, np.ones((1, 60)), list(expected))
    assert {key: value.item() for key, value in got.items()} == exactly(expected)


@pytest.mark.parametrize("case", ["all classes", "ties", "no image of the rarest class", "constant prediction"])
def test_an_image_that_counts_twice_is_an_image_that_is_there_twice(case, reference):
    predictions = CASES[case]
    first_of_class = np.unique(predictions.label, return_index=True)[1]
    weight = np.random.default_rng(0).integers(0, 4, (20, len(predictions.label)))
    weight[:, first_of_class] += 1
    got = resampled_scores(predictions, weight, KEYS)
    for row, times in enumerate(weight):
        assert {key: value[row] for key, value in got.items()} == exactly(reference(repeated(predictions, times)))


def test_scores_equal_sklearn():
    predictions, times = CASES["ties"], np.random.default_rng(1).integers(1, 4, 300)
    got = resampled_scores(predictions, times[None], KEYS)
    drawn = repeated(predictions, times)
    label, guess = drawn.label, drawn.probability.argmax(axis=1)
    precision, recall, f1, _ = sk.precision_recall_fscore_support(label, guess, zero_division=0)
    auc = [sk.roc_auc_score(label == c, drawn.probability[:, c]) for c in range(4)]
    expected = {
        "accuracy": sk.accuracy_score(label, guess),
        "balanced_accuracy": recall.mean(),
        "f1": f1.mean(),
        "precision/bkl/lk": precision[2],
        "group_f1/middle": f1[1:3].mean(),
        "auc": np.mean(auc),
        "auc/mel": auc[1],
        "ap/mel": sk.average_precision_score(label == 1, drawn.probability[:, 1]),
        "mcc": sk.matthews_corrcoef(label, guess),
        "kappa": sk.cohen_kappa_score(label, guess, weights="quadratic"),
        "kendall_tau": stats.kendalltau(label, guess).statistic,
        "mean_grade_error": sk.mean_absolute_error(label, guess),
        "macro_grade_error": np.mean([np.abs(c - guess[label == c]).mean() for c in range(4)]),
        "adjacent_accuracy": (np.abs(label - guess) <= 1).mean(),
    }
    assert {key: got[key].item() for key in expected} == exactly(expected)


def test_class_that_a_resample_lacks_is_left_out_of_it():
    # The second resample has neither "df" nor "bkl/lk", but an "nv" that is taken for "df".
    predictions = predicted([0, 0, 0, 1, 2, 3], [0, 0, 3, 0, 2, 3])
    got = resampled_scores(predictions, np.array([[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0]]), KEYS)
    second = {key: value[1] for key, value in got.items()}
    for key in ("f1/df", "recall/df", "precision/df", "f1/bkl/lk", "scr", "group_recall/minor", "group_f1/minor"):
        assert math.isnan(second[key]) and not math.isnan(got[key][0]), key
    assert second["recall/nv"] == exactly(2 / 3)
    assert second["f1/nv"] == exactly(2 * 2 / (3 + 3))
    assert second["f1/mel"] == second["recall/mel"] == second["precision/mel"] == 0.0
    assert second["balanced_accuracy"] == second["recall"] == exactly((2 / 3 + 0) / 2)
    assert second["f1"] == exactly((2 / 3 + 0) / 2)
    assert second["precision"] == exactly((2 / 3 + 0) / 2)
    assert second["group_recall/middle"] == second["group_f1/middle"] == 0.0
    assert got["group_f1/middle"][0] == exactly((1 + 0) / 2)
    for key in RANKING:
        assert math.isnan(second[f"{key}/df"]) and not math.isnan(got[f"{key}/df"][0]), key
        assert second[key] == exactly((second[f"{key}/nv"] + second[f"{key}/mel"]) / 2)
    assert second["cce"] == exactly((second["cce/nv"] + second["cce/mel"]) / 2) and math.isnan(second["cce/df"])
    # One of the three nv is off by the three classes up to df, the mel by one.
    assert second["mean_grade_error"] == exactly((3 + 1) / 4) and second["adjacent_accuracy"] == 3 / 4
    assert second["macro_grade_error"] == exactly((3 / 3 + 1) / 2)
    # Of nv and mel; the mel is below two of the three nv and above the third, for both classes.
    assert second["auc"] == exactly((((0.5 + 0.5 + 0) / 3) + ((0.5 + 0.5 + 0.5) / 3)) / 2)


def test_class_that_the_test_set_lacks_counts_in_each_resample():
    predictions = predicted([0, 0, 1, 2], [0, 1, 1, 2])
    got = resampled_scores(predictions, np.array([[1, 1, 1, 0]]), KEYS)
    assert (got["auc/df"], got["ap/df"], got["pauc/df"]) == (0.5, 0.0, 0.0)
    assert got["cce"] == exactly((got["cce/nv"] + got["cce/mel"] + got["cce/df"]) / 3)
    assert got["scr"] == got["recall/df"] == got["f1/df"] == got["group_recall/minor"] == 0.0
    assert np.isnan(got["f1/bkl/lk"])
    assert got["f1"] == exactly((2 / 3 + 2 / 3 + 0) / 3)
    assert got["balanced_accuracy"] == exactly((1 / 2 + 1) / 2)


def test_resample_without_variety():
    got = resampled_scores(predicted([0, 0, 1], [0, 1, 1]), np.array([[1, 1, 0], [0, 0, 2], [0, 0, 0]]), KEYS)
    for key in ("mcc", "kappa", "kendall_tau"):
        assert got[key][:2].tolist() == [0, 0]
    assert np.isnan(got["auc"]).all()
    assert all(np.isnan(value[2]) for value in got.values())


@pytest.mark.parametrize("order", ["C", "F"])
def test_slices_do_not_matter(order, monkeypatch):
    predictions = CASES["ties"]
    weight = np.random.default_rng(0).integers(0, 3, (37, 300)).astype(np.uint8, order=order)
    whole = resampled_scores(predictions, weight, KEYS)
    monkeypatch.setattr(scores_module, "MAX_ELEMENTS", 5 * 300)
    slices = resampled_scores(predictions, weight, KEYS)
    assert all(slices[key] == exactly(whole[key]) for key in KEYS)


@pytest.mark.parametrize("name", ["f1_score", "f1/melanoma", "accuracy/nv", "f1/", "group_f1", "group_f1/nv"])
def test_unknown_score_is_refused_by_its_name(name):
    with pytest.raises(ValueError, match=f"'{name}' is no score .*'mel'.*'minor'.*kendall_tau.*group_f1/GROUP"):
        resampled_scores(CASES["ties"], np.ones((1, 300)), ["accuracy", name])


def test_what_ranks_is_computed_only_if_asked_for(monkeypatch):
    monkeypatch.setattr(scores_module.TestSet, "thresholds", None)
    others = [key for key in KEYS if key.partition("/")[0] not in RANKING]
    assert list(resampled_scores(CASES["ties"], np.ones((1, 300)), others)) == others
    with pytest.raises(AttributeError):
        resampled_scores(CASES["ties"], np.ones((1, 300)), KEYS)


def test_whole_numbers_count_as_those_with_a_point():
    predictions = CASES["ties"]
    weight = np.random.default_rng(0).integers(0, 256, (7, 300)).astype(np.uint8)
    of_floats = resampled_scores(predictions, weight.astype(np.float64), KEYS)
    of_counts = resampled_scores(predictions, weight, KEYS)
    assert all(np.array_equal(of_counts[key], of_floats[key], equal_nan=True) for key in KEYS)


def test_many_units_are_drawn_as_by_wide_numbers():
    drawn = np.random.default_rng(3).integers(0, 70_000, (2, 70_000))
    assert np.array_equal(draw(70_000, 2, seed=3), [np.bincount(each, minlength=70_000) for each in drawn])


@pytest.mark.parametrize("max_drawn", [10_000_000, 100, 1])
def test_drawing_is_that_of_scipy(max_drawn, monkeypatch):
    monkeypatch.setattr(statistics_module, "MAX_DRAWN", max_drawn)
    drawn = []

    def keep(sample, axis):
        drawn.append(sample)
        return sample.mean(axis=axis)

    stats.bootstrap((np.arange(23),), keep, n_resamples=50, method="percentile", rng=7)
    expected = [[resample.tolist().count(unit) for unit in range(23)] for resample in drawn[-1]]
    count = draw(23, 50, seed=7)
    assert count.shape == (50, 23)
    assert count.tolist() == expected
    assert (count.sum(axis=1) == 23).all()


def test_one_unit_is_always_drawn():
    assert draw(1, 5).tolist() == [[1]] * 5


@pytest.fixture(scope="module")
def patients():
    """Twelve patients of five to nine images, each with all classes, in no order."""
    rng = np.random.default_rng(0)
    unit = np.concatenate([[f"patient {u}"] * rng.integers(5, 10) for u in range(12)])
    label = np.concatenate([np.resize(np.arange(4), (unit == u).sum()) for u in pd.unique(unit)])
    order = rng.permutation(len(unit))
    probability = rng.dirichlet(np.ones(4), len(unit)) + 0.3 * np.eye(4)[label]
    return make(label[order], (probability / 1.3)[order], unit[order])


@pytest.mark.parametrize("seed", [0, 5])
def test_intervals_are_those_of_scipy(patients, seed):
    rows_of = [np.flatnonzero(patients.unit == unit) for unit in sorted(set(patients.unit))]
    guess = patients.probability.argmax(axis=1)

    def scipy_interval(score):
        def statistic(drawn):
            rows = np.concatenate([rows_of[unit] for unit in drawn])
            return score(patients.label[rows], guess[rows])

        found = stats.bootstrap(
            (np.arange(12),), statistic, n_resamples=200, method="percentile", rng=seed, vectorized=False
        )
        return tuple(found.confidence_interval)

    def f1_of_df(label, guess):
        return 2 * ((label == 3) & (guess == 3)).sum() / ((label == 3).sum() + (guess == 3).sum())

    keys = {"accuracy": sk.accuracy_score, "balanced_accuracy": sk.balanced_accuracy_score, "f1/df": f1_of_df}
    values = resampled_rounds({"row": [Round((patients,))]}, list(keys), draw(12, 200, seed))["row"]
    for key, score in keys.items():
        [of_round] = values[key]
        low, high = percentiles(of_round)
        assert low < high
        assert (low, high) == pytest.approx(scipy_interval(score), abs=1e-9, rel=0)


def test_all_images_of_a_unit_are_drawn_together():
    # Four lesions, each classified as a whole: the accuracy of a resample is a count of lesions.
    label = np.repeat([0, 1, 2, 3], 3)
    lesions = predicted(label, np.repeat([0, 1, 0, 0], 3), unit=np.repeat(["a", "b", "c", "d"], 3))
    count = draw(4, 100)
    [values] = resampled_rounds({"row": [Round((lesions,))]}, ["accuracy"], count)["row"]["accuracy"]
    assert values.tolist() == (count[:, :2].sum(axis=1) / 4).tolist()


def test_rows_and_rounds_share_each_resample():
    runs = [long_tailed(80, noise=noise) for noise in range(3)]
    rows = {"a": [Round((run,)) for run in runs[:2]], "b": [Round((runs[2],))]}
    units = sorted(set(runs[0].unit))
    assert units_of(rows).tolist() == units
    count = draw(len(units), 60, seed=3)
    got = resampled_rounds(rows, IN_PAIRS, count)
    weight = count[:, [units.index(unit) for unit in runs[0].unit]]
    for row, members in {"a": runs[:2], "b": runs[2:]}.items():
        alone = [resampled_scores(run, weight, IN_PAIRS) for run in members]
        for key in IN_PAIRS:
            assert got[row][key].shape == (len(members), 60)
            assert got[row][key] == exactly(np.stack([scores[key] for scores in alone]))


def test_folds_share_one_drawing_of_all_their_units():
    whole = long_tailed(60, seed=4)
    places = [np.arange(0, 40), np.arange(40, 59), np.arange(59, 60)]
    folds = [make(whole.label[p], whole.probability[p], whole.unit[p], whole.image[p]) for p in places]
    rows = {"folds": [Round(tuple(folds))], "whole": [Round((whole,))]}
    got = resampled_rounds(rows, ["accuracy", "f1/df", "auc"], draw(len(units_of(rows)), 50))
    for key in ("accuracy", "f1/df"):
        assert got["folds"][key] == exactly(got["whole"][key])
    assert not np.allclose(got["folds"]["auc"], got["whole"]["auc"], equal_nan=True)


def test_percentiles_by_hand():
    values = np.arange(201.0)
    assert percentiles(values) == (5.0, 195.0)
    assert percentiles(np.append(values[::-1], [np.nan, np.nan])) == (5.0, 195.0)
    assert percentiles(np.array([0.25])) == (0.25, 0.25)
    assert all(math.isnan(end) for end in percentiles(np.full(3, np.nan)))


def test_holm_by_hand():
    # Smallest first: 3 * 0.01, 2 * 0.03, and 0.04, which may not fall below the one before.
    assert holm([0.01, 0.04, 0.03]) == exactly([0.03, 0.06, 0.06])
    assert holm([0.6, 0.7]) == exactly([1.0, 1.0])


def test_holm_equals_statsmodels():
    p_values = np.random.default_rng(0).random(30).round(1) ** 3
    expected = multipletests(p_values, method="holm")[1]
    assert len(set(expected)) > 4
    assert holm(p_values.tolist()) == exactly(expected.tolist())


def test_holm_does_not_count_nan():
    assert holm([0.01, math.nan, 0.04, 0.03, math.nan]) == exactly([0.03, math.nan, 0.06, 0.06, math.nan])
    assert holm([math.nan]) == exactly([math.nan])
    assert holm([]) == []
