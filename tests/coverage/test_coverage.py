"""Intervals and stars hold where the truth is known: all outcomes of few images, and a small simulation."""

from dataclasses import replace

import numpy as np
import pytest
from measures import (
    ABOVE,
    ALL,
    BIAS,
    CLASS,
    CORRECTED,
    LEAD,
    REJECTED,
    STAR,
    WORSE,
    Calibration,
    Coverage,
    EqualRows,
    ExactWilson,
    McNemar,
)
from simulate import Line, markdown
from situations import SITUATIONS, Limit
from statsmodels.stats.proportion import proportion_confint
from worlds import World

from lightning_imbal.stats.compared import Compared
from lightning_imbal.stats.proportions import wilson

FEW = World((60, 25, 5), (2.0, 1.5, 2.5), networks=1)
LESIONS = World((90, 60, 50), (1.5, 1.2, 1.2), largest=9, together=1.0, networks=1)
TRAININGS = World((400, 200, 100), (2.0, 1.5, 1.2), training=0.5, networks=8)


def means(measure, repetitions):
    found = measure(np.random.default_rng(0), repetitions)
    return {what: {score: np.nanmean(values) for score, values in of.items()} for what, of in found.items()}


@pytest.fixture(scope="module")
def few():
    return means(Coverage(FEW, resamples=100), 60)


@pytest.fixture(scope="module")
def folds():
    return means(Coverage(FEW, folds=5, resamples=100), 60)


@pytest.fixture(scope="module")
def equal():
    return means(EqualRows(FEW, 6, resamples=200), 40)


def test_wilson_holds_over_all_outcomes_of_five_images():
    assert min(ExactWilson(5, ()).coverage(share) for share in (0.1, 0.3, 0.5, 0.7, 0.9)) >= 0.90


@pytest.mark.parametrize("hits, ends", [(0, (0, 0.434)), (5, (0.566, 1))])
def test_none_and_all_of_five(hits, ends):
    assert wilson(hits / 5, 5) == pytest.approx(ends, abs=5e-4)


@pytest.mark.parametrize("images", [1, 4, 5, 23, 2003])
def test_wilson_equals_statsmodels(images):
    for hits in {0, 1, images // 3, images // 2, images - 1, images}:
        assert wilson(hits / images, images) == pytest.approx(
            proportion_confint(hits, images, method="wilson"), abs=1e-7
        )


def test_a_perfect_classifier_whose_folds_lack_a_class():
    world = World((30, 12, 4), (1000, 1000, 1000), networks=1)
    rng = np.random.default_rng(0)
    tested = world.images(rng).cross_validated([0] * 5, rng)
    assert {(fold.label == 2).sum() for fold in tested.folds} == {0, 1}
    summaries = ["accuracy", "balanced_accuracy", "f1", "precision", "scr", "auc", "mcc", "kappa", "kendall_tau"]
    of_class = [f"{key}/{name}" for key in ("recall", "precision", "f1", "auc") for name in world.names]
    row = Compared({"row": [tested]}, summaries + of_class, resamples=100).rows["row"]
    for key, value in row.observed.items():
        assert value == 1, key
    for key in ("f1", "balanced_accuracy", "precision", *of_class[:9]):
        low, high = row.interval(key)
        assert 0 < low < 1 == high, key


def test_intervals_of_few_images_hold(few):
    assert min(few[CLASS].values()) >= 0.85
    assert min(few[ALL].values()) >= 0.88


def test_intervals_of_lesions_hold():
    found = means(Coverage(LESIONS, resamples=100), 60)
    assert min(found[CLASS].values()) >= 0.90
    assert found[ALL]["accuracy"] >= 0.88


def test_intervals_of_several_trainings_hold():
    found = means(Coverage(TRAININGS, seeds=3, resamples=100), 40)
    assert found[CLASS]["recall of any"] >= 0.86
    assert min(found[ALL].values()) >= 0.90


def test_scores_are_those_of_all_images_on_average(few, folds):
    assert max(map(abs, few[BIAS].values())) <= 0.03
    assert max(map(abs, folds[BIAS].values())) <= 0.03


def test_intervals_of_folds_hold(folds):
    assert min(folds[CLASS].values()) >= 0.85
    assert min(folds[ALL].values()) >= 0.88


def test_equal_rows_are_rarely_told_apart(equal):
    assert max(equal[WORSE].values()) <= 0.10
    assert max(equal[STAR].values()) <= 0.10


def test_the_lead_of_the_winner_is_corrected(equal):
    assert min(equal[LEAD].values()) >= 0.03
    assert max(map(abs, equal[CORRECTED].values())) <= 0.02


def test_equal_rows_of_several_trainings_are_rarely_told_apart():
    found = means(EqualRows(replace(FEW, training=0.5, networks=40), 6, seeds=3, resamples=200), 20)
    assert max(found[WORSE].values()) <= 0.10
    assert max(found[STAR].values()) <= 0.10


@pytest.mark.parametrize("world", [FEW, LESIONS], ids=["images", "lesions"])
def test_mcnemar_rarely_tells_equal_networks_apart(world):
    assert means(McNemar(world), 60)[REJECTED]["McNemar"] <= 0.08


@pytest.mark.parametrize("folds", [1, 5])
def test_calibrated_networks_are_rarely_above_their_point(folds):
    assert means(Calibration(FEW, folds), 60)[ABOVE]["ECE"] <= 0.10


@pytest.mark.parametrize(
    "mean, verdict", [(0.9, "holds"), (0.885, "within its error: recall"), (0.87, "BROKEN: recall")]
)
def test_what_the_table_says(mean, verdict):
    line = Line("lesions", "interval", Limit(0.95, least=0.9), {"recall": (mean, 0.01), "F1": (0.93, 0.008)})
    last = markdown([line]).splitlines()[-1]
    assert last == f"| lesions | interval | 0.95 | recall {mean:.3f}, F1 0.930 (± 0.010) | at least 0.9 | {verdict} |"


def test_situations_have_names_of_their_own():
    assert len({situation.name for situation in SITUATIONS}) == len(SITUATIONS)
