"""Bounds of a share and the images that tell as much: against statsmodels, the binomial distribution and by hand."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from lightning_imbal.decisions.thresholds import effective_size, lower_bound, unit_correlation, units_needed


@pytest.mark.parametrize(("hits", "images"), [(1, 1), (5, 5), (1, 40), (29, 29), (45, 50), (990, 1000)])
@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_bound_equals_statsmodels(hits, images, alpha):
    expected = proportion_confint(hits, images, alpha=2 * alpha, method="beta")[0]
    assert lower_bound(hits / images, images, alpha) == pytest.approx(expected, abs=1e-9)


def test_bound_is_where_so_many_hits_are_as_rare_as_alpha():
    assert stats.binom.sf(44, 50, lower_bound(0.9, 50, 0.05)) == pytest.approx(0.05)


def test_no_hits_promise_nothing():
    assert lower_bound(np.array([0.0, 0.9]), 50, 0.05) == pytest.approx([0, lower_bound(0.9, 50, 0.05)])


@pytest.mark.parametrize("target", [0.5, 0.8, 0.9, 0.95])
@pytest.mark.parametrize("alpha", [0.05, 0.025])
def test_needed_units_are_the_fewest_by_a_loop(target, alpha):
    fewest = next(number for number in range(1, 1000) if target**number <= alpha)
    assert units_needed(target, alpha) == fewest
    assert lower_bound(1.0, fewest, alpha) >= target > lower_bound(1.0, fewest - 1, alpha)


def test_images_of_their_own_count_as_one_each():
    assert effective_size(np.ones(60), np.arange(60), 1.0) == effective_size(np.ones(60), np.arange(60), 0.0) == 60


def test_units_of_one_size_count_between_one_and_their_images():
    unit = np.arange(60) // 4
    assert [effective_size(np.ones(60), unit, alike) for alike in (0, 0.5, 1)] == pytest.approx([60, 60 / 2.5, 15])


def test_unlike_units_and_weights_count_less():
    unit = np.array([0] * 5 + list(range(1, 12)))
    assert effective_size(np.ones(16), unit, 1.0) == pytest.approx(16**2 / (25 + 11))
    assert effective_size(np.array([1.0, 1.0, 2.0]), np.arange(3), 0.0) == pytest.approx(16 / 6)


def test_correlation_by_a_loop_over_pairs():
    rng = np.random.default_rng(0)
    unit = np.sort(np.r_[np.arange(30), rng.integers(0, 30, 60)])
    value = (rng.normal(size=30)[unit] + rng.normal(size=90)).round(1)
    rank = stats.rankdata(value)
    rank = (rank - rank.mean()) / rank.std()
    pairs = [rank[i] * rank[j] for i in range(90) for j in range(90) if i != j and unit[i] == unit[j]]
    assert unit_correlation(value, unit) == pytest.approx(np.mean(pairs))
    assert 0.2 < unit_correlation(value, unit) < 0.7


@pytest.mark.parametrize(
    ("value", "unit", "alike"),
    [
        (np.arange(40) // 2, np.arange(40) // 2, 1.0),
        (np.r_[np.arange(20), np.arange(20)], np.r_[np.arange(20), np.arange(20)], 1.0),
        (np.tile([0, 1], 20), np.arange(40) // 2, 0.0),
        (np.zeros(40), np.arange(40) // 2, 1.0),  # nothing is seen
        (np.tile([0, 1], 9), np.arange(18) // 2, 1.0),  # nor of few units
        (np.tile([0, 1], 20), np.r_[np.arange(18) // 2, np.arange(9, 31)], 1.0),  # of several images
    ],
)
def test_correlation_of_plain_cases(value, unit, alike):
    assert unit_correlation(value.astype(np.float64), unit) == pytest.approx(alike)
