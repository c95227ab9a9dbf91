"""McNemar's test, against statsmodels and by hand."""

import math

import numpy as np
import pandas as pd
import pytest
from made_predictions import long_tailed, make, predicted
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar

from lightning_imbal.stats.mcnemar import mcnemar_p_value


def exactly(value):
    return pytest.approx(value, abs=1e-12, rel=0)


def single(*args, **kwargs):
    """Predictions whose images are units of their own."""
    run = long_tailed(*args, **kwargs)
    return make(run.label, run.probability, image=run.image)


def test_mcnemar_by_hand():
    # Only the row is correct on one image, only the baseline on six: 2 * (1 + 7) / 2**7.
    label = [0] * 12
    row, baseline = predicted(label, [0] * 4 + [1] * 8), predicted(label, [0] * 3 + [1] + [0] * 6 + [1] * 2)
    assert mcnemar_p_value([row], [baseline]) == exactly(0.125)
    assert mcnemar_p_value([baseline], [row]) == exactly(0.125)
    assert mcnemar_p_value([row], [row]) == 1.0


def test_mcnemar_equals_statsmodels():
    row, baseline = single(200, noise=1), single(200, noise=2)
    first, second = (run.probability.argmax(axis=1) == run.label for run in (row, baseline))
    expected = mcnemar(pd.crosstab(first, second).to_numpy(), exact=True).pvalue
    assert 0 < expected < 1
    assert mcnemar_p_value([row], [baseline]) == exactly(expected)


@pytest.mark.parametrize(
    "only_row, only_baseline", [(0, 0), (0, 1), (1, 1), (1, 6), (5, 5), (7, 8), (0, 30), (17, 41), (300, 260)]
)
def test_mcnemar_of_known_tables(only_row, only_baseline):
    # On the first two images both are correct, on the last three neither is.
    correct = np.array([[1, 1]] * 2 + [[1, 0]] * only_row + [[0, 1]] * only_baseline + [[0, 0]] * 3)
    row, baseline = (predicted([0] * len(correct), (1 - column).tolist()) for column in correct.T)
    table = [[2, only_row], [only_baseline, 3]]
    assert mcnemar_p_value([row], [baseline]) == mcnemar(table, exact=True).pvalue
    n, fewer = only_row + only_baseline, min(only_row, only_baseline)
    tail = sum(math.comb(n, k) for k in range(fewer + 1)) / 2**n
    assert mcnemar_p_value([row], [baseline]) == pytest.approx(min(1.0, 2 * tail), rel=1e-9)


def test_mcnemar_takes_the_ensemble_of_seeds_and_puts_folds_together():
    seeds, baseline = [single(200, noise=noise) for noise in (1, 2, 3)], single(200, noise=9)
    ensemble = make(baseline.label, np.mean([run.probability for run in seeds], axis=0))
    expected = mcnemar_p_value([ensemble], [baseline])
    assert expected != mcnemar_p_value(seeds[:1], [baseline])
    assert mcnemar_p_value(seeds, [baseline]) == expected
    order = np.random.default_rng(0).permutation(200)
    folds = [
        make(run.label[p], run.probability[p], image=run.image[p]) for p in (order[:70], order[70:]) for run in seeds
    ]
    assert mcnemar_p_value(folds, [baseline]) == expected
    assert mcnemar_p_value([baseline], folds) == expected


def test_mcnemar_of_other_images_is_nan():
    run = single(50)
    fewer = make(run.label[1:], run.probability[1:], run.unit[1:], run.image[1:])
    other = make(run.label, run.probability, image=np.char.add("other ", run.image))
    for row, baseline in (([fewer], [run]), ([run], [fewer]), ([other], [run]), ([], [run]), ([run], []), ([], [])):
        assert math.isnan(mcnemar_p_value(row, baseline))


def test_groups_by_hand():
    """Durkalski's statistic: the sum of the shares of each group on which only one is right, squared, over squares."""
    unit = np.repeat(["a", "b", "c", "d"], [4, 2, 1, 3])
    row = predicted([0] * 10, [0, 0, 0, 1] + [0, 0] + [0] + [0, 1, 1], unit=unit)
    baseline = predicted([0] * 10, [0, 1, 1, 1] + [1, 0] + [0] + [1, 0, 1], unit=unit)
    ahead = np.array([2 / 4, 1 / 2, 0, 0])
    expected = stats.chi2.sf(ahead.sum() ** 2 / (ahead**2).sum(), 1)
    assert mcnemar_p_value([row], [baseline]) == exactly(expected)
    assert mcnemar_p_value([baseline], [row]) == exactly(expected)
    assert mcnemar_p_value([row], [row]) == 1.0


def test_a_large_group_counts_no_more_than_a_small_one():
    """Of two groups, one for each of the two networks, that of 30 images decides nothing."""
    unit = np.repeat(["a", "b"], [30, 1])
    row, baseline = predicted([0] * 31, [0] * 30 + [1], unit=unit), predicted([0] * 31, [1] * 30 + [0], unit=unit)
    assert mcnemar_p_value([row], [baseline]) == 1.0
    alone = [make(run.label, run.probability) for run in (row, baseline)]
    assert mcnemar_p_value(alone[:1], alone[1:]) < 1e-6
