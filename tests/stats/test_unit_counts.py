"""Intervals of class scores: against statsmodels, by hand, and over every outcome there can be."""

from math import comb

import numpy as np
import pytest
from made_predictions import NAMES, long_tailed, make, predicted
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from lightning_imbal.stats.proportions import satterthwaite, wilson
from lightning_imbal.stats.rounds import Round
from lightning_imbal.stats.unit_counts import UnitCounts


def nearly(value, abs=1e-9):
    return pytest.approx(value, abs=abs, rel=0, nan_ok=True)


def alone(run):
    """The images as units of their own."""
    return make(run.label, run.probability, image=run.image)


def rounds(*runs):
    return [Round((run,)) for run in runs]


def ends(found, c):
    return found.low[c], found.high[c]


@pytest.mark.parametrize(("hits", "images"), [(0, 5), (5, 5), (1, 5), (7, 23), (23, 23), (0, 1), (250, 1341)])
def test_wilson_equals_statsmodels(hits, images):
    expected = proportion_confint(hits, images, method="wilson")
    assert wilson(hits / images, images) == nearly(expected, abs=1e-7)
    label = np.r_[np.full(images, 3), np.zeros(9, dtype=int)]
    run = predicted(label, np.r_[np.full(hits, 3), np.zeros(images - hits + 9, dtype=int)])
    found = UnitCounts(rounds(run)).intervals("recall")
    assert ends(found, 3) == nearly(expected, abs=1e-7) and found.value[3] == nearly(hits / images)


def test_no_hit_of_five_and_five_of_five():
    assert wilson(0.0, 5) == nearly((0.0, 0.4345), abs=1e-4)
    assert wilson(1.0, 5) == nearly((0.5655, 1.0), abs=1e-4)


@pytest.mark.parametrize(("share", "images", "least"), [(0.1, 5, 0.9), (0.2, 5, 0.9), (0.1, 10, 0.9), (0.5, 5, 0.9)])
def test_every_outcome_together_covers(share, images, least):
    covered = sum(
        comb(images, hits) * share**hits * (1 - share) ** (images - hits)
        for hits in range(images + 1)
        if wilson(hits / images, images)[0] <= share <= wilson(hits / images, images)[1]
    )
    assert covered >= least


def test_precision_and_f1_of_single_images_by_statsmodels():
    run = alone(long_tailed(150))
    guess = run.probability.argmax(axis=1)
    counts = UnitCounts(rounds(run))
    precision, f1 = counts.intervals("precision"), counts.intervals("f1")
    for c in range(4):
        hits, called = ((guess == c) & (run.label == c)).sum(), (guess == c).sum()
        either = ((guess == c) | (run.label == c)).sum()
        assert ends(precision, c) == nearly(proportion_confint(hits, called, method="wilson"), abs=1e-7)
        low, high = proportion_confint(hits, either, method="wilson")
        assert ends(f1, c) == nearly((2 * low / (1 + low), 2 * high / (1 + high)), abs=1e-7)
        assert f1.value[c] == nearly(2 * hits / (called + (run.label == c).sum()))
    right = (guess == run.label).sum()
    found = counts.accuracy()
    assert ends(found, 0) == nearly(proportion_confint(right, 150, method="wilson"), abs=1e-7)


def test_units_that_are_all_hit_count_as_if_each_were_one_image():
    """n^2 / sum m^2 units, and as many degrees of freedom as there are units."""
    unit = np.repeat(["a", "b", "c"], [6, 3, 1])
    run = predicted([3] * 10, [3] * 10, unit=unit)
    number, t = 10**2 / (36 + 9 + 1), stats.t.ppf(0.975, 3)
    counts = UnitCounts(rounds(run))
    assert ends(counts.intervals("recall"), 3) == nearly((number / (number + t**2), 1.0))
    assert counts.units.tolist() == [0, 0, 0, 3] and counts.effective[3] == nearly(number)


def test_few_units_are_taken_to_be_alike_inside_and_many_are_looked_at():
    sizes, rng = 4, np.random.default_rng(0)
    for units, looked in ((9, False), (30, True)):
        unit = np.repeat([f"u{n:02d}" for n in range(units)], sizes)
        hit = rng.random(len(unit)) < 0.5  # independent within units
        run = predicted(np.full(len(unit), 3), np.where(hit, 3, 0), unit=unit)
        found, share = UnitCounts(rounds(run)).intervals("recall"), hit.mean()
        number, t = float(units), stats.t.ppf(0.975, units)
        if looked:
            of_unit = hit.reshape(units, sizes).mean(axis=1)
            variance = of_unit.var(ddof=1) / units
            number = share * (1 - share) / max(variance, share * (1 - share) / len(unit))
            assert number > 2 * units
        middle, reach = share + t**2 / (2 * number), t * np.sqrt(share * (1 - share) / number + t**2 / (4 * number**2))
        expected = (middle - reach) / (1 + t**2 / number), (middle + reach) / (1 + t**2 / number)
        assert ends(found, 3) == nearly(expected)


def test_seeds_add_what_they_vary():
    label = np.full(50, 3)
    runs = [predicted(label, np.r_[np.full(hits, 3), np.zeros(50 - hits, dtype=int)]) for hits in (10, 25, 45)]
    found = UnitCounts(rounds(*runs)).intervals("recall")
    shares = np.array([0.2, 0.5, 0.9])
    share, of_rounds = shares.mean(), shares.var(ddof=1) / 3
    each = np.mean([run.probability.argmax(axis=1) == 3 for run in runs], axis=0)  # hits of each image
    of_images = ((each - share) ** 2).sum() / 50**2
    freedom = (of_images + of_rounds) ** 2 / (of_images**2 / 1e9 + of_rounds**2 / 2)
    t, number = stats.t.ppf(0.975, freedom), share * (1 - share) / (of_images + of_rounds)
    middle, reach = share + t**2 / (2 * number), t * np.sqrt(share * (1 - share) / number + t**2 / (4 * number**2))
    assert found.value[3] == nearly(share)
    assert ends(found, 3) == nearly(
        ((middle - reach) / (1 + t**2 / number), (middle + reach) / (1 + t**2 / number)), abs=1e-6
    )
    median = UnitCounts(rounds(*runs)).intervals("recall", median=True)
    assert median.value[3] == 0.5
    assert np.subtract(*ends(median, 3)) < np.subtract(*ends(found, 3)), "the median is less certain"


def test_the_same_seed_thrice_is_hardly_better_than_once():
    run = alone(long_tailed(60))
    once, thrice = (UnitCounts(rounds(*[run] * n)).intervals("f1") for n in (1, 3))
    for c in range(4):
        assert ends(thrice, c) == nearly(ends(once, c), abs=0.01)


def test_what_was_not_tested_or_never_predicted_has_no_interval():
    run = predicted([0, 0, 1, 1], [0, 0, 0, 2])
    counts = UnitCounts(rounds(run))
    assert np.isnan(counts.intervals("recall").low).tolist() == [False, False, True, True]
    assert np.isnan(counts.intervals("precision").low).tolist() == [False, True, True, True]
    assert np.isnan(counts.intervals("f1").low).tolist() == [False, False, True, True]


def test_every_interval_holds_its_value_and_has_a_width():
    for seed in range(6):
        counts = UnitCounts(rounds(*(long_tailed(40, seed=seed, noise=noise) for noise in range(1 + seed % 3))))
        for score in ("recall", "precision", "f1"):
            found = counts.intervals(score)
            known = np.isfinite(found.low)
            assert known.any() and len(found.value) == len(NAMES)
            assert (found.low < found.high)[known].all()
            assert ((found.low <= found.value) & (found.value <= found.high))[known].all()
            assert (found.low[known] >= 0).all() and (found.high[known] <= 1).all()


def test_area_under_the_curve_that_is_1_still_has_an_interval():
    counts = UnitCounts(rounds(predicted([0] * 40 + [3] * 5, [0] * 40 + [3] * 5)))
    found = counts.auc(np.array([1.0, np.nan, np.nan, 1.0]), np.zeros(4))
    assert 0.4 < found.low[3] < 0.9 and found.high[3] == 1.0
    assert np.isnan(found.low[1:3]).all()
    # Where the binormal deviation of the lower end reaches 1: P(both above) by the bivariate normal distribution.
    low, h = found.low[3], stats.norm.ppf(found.low[3])
    both = stats.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]]).cdf([h, h])
    assert 1 - low == nearly(1.96 * np.sqrt((both - low**2) * (1 / 5 + 1 / 40)), abs=2e-3)


def test_degrees_of_freedom_of_a_sum():
    found = satterthwaite(np.array([1.0, 1.0, 0.0]), np.array([10.0, 1e9, 7.0]), np.array([1.0, 0.0, 0.0]), 2)
    assert found.tolist() == nearly([4 / (1 / 10 + 1 / 2), 1e9, 7.0], abs=1e-3)
