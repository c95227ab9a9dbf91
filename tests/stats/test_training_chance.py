"""Variances of rows that were trained a few times, drawn together."""

import numpy as np
import pytest
from scipy import special

from lightning_imbal.stats.training_chance import moderated


def test_equal_variances_become_one():
    """What differs by no more than chance has the mean, and the degrees of freedom of all."""
    rng = np.random.default_rng(0)
    variance = rng.normal(size=(3, 40)).var(axis=0, ddof=1) * 0.5 + 1.0
    found, freedom = moderated(variance, 2)
    assert found == pytest.approx(np.full(40, variance.mean())) and freedom == 80


def test_scale_and_freedom_are_found_again():
    """Of 4,000 rows whose variances are 0.02 * 6 / chi2(6), each known by chi2(2) / 2."""
    rng = np.random.default_rng(1)
    true = 0.02 * 6 / rng.chisquare(6, 4000)
    variance = true * rng.chisquare(2, 4000) / 2
    found, freedom = moderated(variance, 2)
    assert freedom == pytest.approx(2 + 6, rel=0.15)
    prior = freedom - 2
    scale = (found * freedom - 2 * variance) / prior
    assert scale == pytest.approx(np.full(4000, 0.02), rel=0.1)
    assert np.mean((np.log(found) - np.log(true)) ** 2) < 0.3 * np.mean((np.log(variance) - np.log(true)) ** 2)


def test_moments_by_hand():
    variance = np.array([1e-4, 1e-2, 1.0, 1e-3])
    found, freedom = moderated(variance, 2)
    expected = np.log(variance) - special.digamma(1) + np.log(1)
    prior = freedom - 2
    assert special.polygamma(1, prior / 2) == pytest.approx(expected.var(ddof=1) - special.polygamma(1, 1), rel=1e-6)
    scale = np.exp(expected.mean() + special.digamma(prior / 2) - np.log(prior / 2))
    assert found == pytest.approx((prior * scale + 2 * variance) / freedom)


def test_rows_that_do_not_vary():
    assert moderated(np.zeros(3), 2)[0].tolist() == [0, 0, 0]
    found, _ = moderated(np.array([0.0, 0.04]), 2)
    assert (found > 0).all(), "one that did not vary by chance does so too"
    assert moderated(np.array([0.04]), 2) == (pytest.approx([0.04]), 2)
