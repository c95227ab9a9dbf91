"""Bounds of a share and the images that tell as much: against statsmodels, the binomial distribution and by hand."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from lightning_imbal.decisions.thresholds import effective_size, lower_bound, units_needed


@pytest.mark.parametrize(("hits", "images"), [(1, 1), (5, 5), (1, 40), (29, 29), (45, 50), (990, 1000)])
@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_bound_equals_statsmodels(hits, images, alpha):
    expected = proportion_confint(hits, images, alpha=2 * alpha, method="beta")[0]
    assert lower_bound(hits / images, images, alpha) == pytest.approx(expected, abs=1e-9)


def test_bound_is_where_so_many_hits_are_as_rare_as_alpha():
    assert stats.binom.sf(44, 50, lower_bound(0.9, 50, 0.05)) == pytest.approx(0.05)


def test_no_hits_promise_nothing():
    assert lower_bound(0.0, 50, 0.05) == 0


@pytest.mark.parametrize("target", [0.5, 0.8, 0.9, 0.95])
@pytest.mark.parametrize("alpha", [0.05, 0.025])
def test_needed_units_are_the_fewest_by_a_loop(target, alpha):
    fewest = next(number for number in range(1, 1000) if target**number <= alpha)
    assert units_needed(target, alpha) == fewest
    assert lower_bound(1.0, fewest, alpha) >= target > lower_bound(1.0, fewest - 1, alpha)


def size(hit, unit, weight=None):
    hit = np.array(hit, dtype=bool)
    return effective_size(hit, np.ones(len(hit)) if weight is None else np.array(weight), np.array(unit), 0.05)


def test_images_of_their_own_count_as_one_each():
    assert size([1, 0] * 30, range(60)) == 60


def test_weights_make_fewer():
    assert size([1, 1, 0], range(3), [1.0, 1.0, 2.0]) == pytest.approx(16 / 6)


def test_units_that_are_all_hit_count_as_one_each():
    assert size([1] * 60, np.arange(60) // 4) == pytest.approx(15)
    assert size([1] * 16, [0] * 5 + list(range(1, 12))) == pytest.approx(16**2 / (25 + 11))


def test_few_units_count_as_one_each():
    assert size([1, 0, 1] * 9, np.arange(27) // 3) == pytest.approx(9)


def test_images_of_a_unit_that_are_alike_count_as_one():
    unit = np.arange(80) // 4
    assert size(unit % 2 == 0, unit) == pytest.approx(20, rel=0.02)


def of_freedom(number):
    return (stats.norm.ppf(0.05) / stats.t.ppf(0.05, number)) ** 2


def test_by_hand():
    # 40 units of 3, of which 8 miss 2 of their images: p = 104 / 120, and units leave 2.6 by 0.4 or by -1.6.
    hit = np.array([1, 1, 1] * 32 + [0, 1, 0] * 8)
    variance = (32 * 0.4**2 + 8 * 1.6**2) / 120**2 * 40 / 39
    assert size(hit, np.arange(120) // 3) == pytest.approx(104 / 120 * 16 / 120 / variance * of_freedom(8))
    assert size(1 - hit, np.arange(120) // 3) == size(hit, np.arange(120) // 3)


def test_images_never_tell_more_than_independent_ones():
    assert size([1, 0, 1, 0] * 30, np.arange(120) // 4) == pytest.approx(120 * of_freedom(30))
