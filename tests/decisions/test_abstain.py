"""No answer: the share that is answered, and the curve of risk and coverage by loops."""

from itertools import permutations

import numpy as np
import pytest
from made_labelled import long_tailed, make

from lightning_imbal.decisions.abstain import Abstain, area_under_risk, risk_coverage
from lightning_imbal.decisions.base import NO_ANSWER
from lightning_imbal.errors import UserError


def test_confidence_that_is_given():
    images = long_tailed(100)
    decision = Abstain(confidence=0.7).fit(images)
    answered = images.probability.max(axis=1) >= 0.7
    expected = np.where(answered, images.probability.argmax(axis=1), NO_ANSWER)
    assert 0 < answered.sum() < 100 and decision.answer(images.probability).tolist() == expected.tolist()


@pytest.mark.parametrize("coverage", [0.05, 0.3, 0.9, 0.999])
@pytest.mark.parametrize("case", [{}, {"decimals": 1}, {"weighted": True}])
def test_coverage_is_the_least_that_suffices_by_a_loop(coverage, case):
    images = long_tailed(150, **case)
    highest = images.probability.max(axis=1)
    shares = {t: images.weight[highest >= t].sum() / images.weight.sum() for t in highest}
    expected = max(t for t, share in shares.items() if share >= coverage)
    decision = Abstain(coverage=coverage).fit(images)
    assert decision.confidence == expected
    answered = decision.answer(images.probability) != NO_ANSWER
    assert images.weight[answered].sum() / images.weight.sum() >= coverage


def test_share_of_ten_images_is_exact():
    images = make([0] * 10, [[p, 1 - p] for p in np.linspace(0.55, 0.95, 10)])
    for answered in range(1, 10):
        answers = Abstain(coverage=answered / 10).fit(images).answer(images.probability)
        assert (answers != NO_ANSWER).sum() == answered


@pytest.mark.parametrize("decimals", [None, 1])
def test_curve_is_the_mean_over_orders_of_what_ties(decimals):
    images = long_tailed(7, classes=2, seed=4, decimals=decimals)
    highest = images.probability.max(axis=1)
    wrong = images.probability.argmax(axis=1) != images.label
    orders = [order for order in permutations(range(7)) if (np.diff(highest[list(order)]) <= 0).all()]
    assert (len(orders) > 1) == (decimals is not None)
    risks = [[wrong[list(order[:k])].mean() for k in range(1, 8)] for order in orders]
    coverage, risk = risk_coverage(images.probability, images.label)
    assert coverage == pytest.approx(np.arange(1, 8) / 7)
    assert risk == pytest.approx(np.mean(risks, axis=0))
    assert area_under_risk(images.probability, images.label) == pytest.approx(np.mean(risks))


def test_area_by_hand():
    probability = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]])
    assert area_under_risk(probability, np.array([0, 1, 1, 0])) == pytest.approx((0 + 1 / 2 + 1 / 3 + 1 / 4) / 4)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "either a confidence or a coverage"),
        ({"confidence": 0.5, "coverage": 0.5}, "either a confidence or a coverage"),
        ({"confidence": 1.5}, "confidence must be above 0 and below 1, but is 1.5"),
        ({"coverage": 1.0}, "coverage must be above 0 and below 1, but is 1"),
        ({"coverage": float("nan")}, "coverage must be"),
    ],
)
def test_settings_are_refused(settings, said):
    with pytest.raises(UserError, match=said):
        Abstain(**settings)
