"""Risk by coverage and net benefit of rows with several rounds and folds."""

import numpy as np
import pytest
from made_predictions import long_tailed, make

from lightning_imbal.stats.acted_on import COVERAGES, THRESHOLDS, mean_benefit, mean_risk
from lightning_imbal.stats.net_benefit import net_benefit, treat_all
from lightning_imbal.stats.rounds import Round

NAMES = {"names": ("no", "yes"), "counts": (3, 2), "groups": {}}


def two_classes(label, probability):
    return make(label, np.stack([1 - np.array(probability), probability], axis=1), **NAMES)


def test_risk_by_hand():
    # From the most confident on: right, wrong, right, wrong.
    risk = mean_risk([Round((two_classes([1, 0, 1, 0], [0.95, 0.9, 0.8, 0.7]),))])
    at = dict(zip(COVERAGES.round(2).tolist(), risk.at, strict=True))
    # 25 % are one image, 26 % need a second one.
    for coverage, expected in {0.01: 0, 0.25: 0, 0.26: 1 / 2, 0.5: 1 / 2, 0.75: 1 / 3, 0.76: 1 / 2, 1: 1 / 2}.items():
        assert at[coverage] == pytest.approx(expected)
    assert risk.area == pytest.approx((0 + 1 / 2 + 1 / 3 + 1 / 2) / 4)


def test_risk_is_that_of_as_few_images_as_reach_a_coverage():
    predictions = long_tailed(57)
    confidence, wrong = predictions.probability.max(axis=1), predictions.answers != predictions.label
    order = np.argsort(-confidence)
    for place, percent in enumerate(range(1, 101)):
        images = next(k for k in range(1, 58) if 100 * k >= 57 * percent)
        assert mean_risk([Round((predictions,))]).at[place] == pytest.approx(wrong[order[:images]].mean())


def test_risk_is_averaged_over_folds_and_then_over_rounds():
    parts = [long_tailed(size, seed=size) for size in (30, 60, 90)]
    one, two, three = (mean_risk([Round((part,))]) for part in parts)
    together = mean_risk([Round((parts[0], parts[1])), Round((parts[2],))])
    np.testing.assert_allclose(together.at, ((one.at + two.at) / 2 + three.at) / 2)
    assert together.area == pytest.approx(((one.area + two.area) / 2 + three.area) / 2)


@pytest.mark.parametrize("curve", [net_benefit, treat_all])
def test_benefit_counts_images_of_folds_together_and_averages_rounds(curve):
    small, large, other = (long_tailed(size, seed=size) for size in (20, 80, 50))
    expected = (0.2 * curve(small, 2, THRESHOLDS) + 0.8 * curve(large, 2, THRESHOLDS) + curve(other, 2, THRESHOLDS)) / 2
    np.testing.assert_allclose(mean_benefit(curve, [Round((small, large)), Round((other,))], 2), expected)
