"""Answers of adjusted probabilities: the equation, and the tau that is best."""

import numpy as np
import pytest
from made_labelled import long_tailed, make
from sklearn.metrics import f1_score

from lightning_imbal.decisions.prior_adjusted import PriorAdjusted
from lightning_imbal.errors import UserError


def test_offset_is_that_of_the_equation():
    decision = PriorAdjusted(tau=1.5).fit(make([0], [[0.5, 0.3, 0.2]], counts=(80, 15, 5)))
    assert decision.offset == pytest.approx(-1.5 * np.log([0.8, 0.15, 0.05]))
    assert decision.answer(np.array([[0.8, 0.1, 0.1], [0.98, 0.01, 0.01]])).tolist() == [2, 0]


def test_tau_is_the_middle_of_the_best_by_a_loop():
    images = long_tailed(200, seed=3)
    share = np.array(images.class_counts) / sum(images.class_counts)
    taus = [k / 20 for k in range(41)]
    scores = [
        f1_score(
            images.label,
            [max(range(3), key=lambda c: row[c] / share[c] ** tau) for row in images.probability],
            average="macro",
        )
        for tau in taus
    ]
    best = [tau for tau, score in zip(taus, scores, strict=True) if score > max(scores) - 1e-12]
    assert best[-1] - best[0] == pytest.approx(0.05 * (len(best) - 1)), "they are no neighbours: take another seed"
    expected = PriorAdjusted(tau=(best[0] + best[-1]) / 2).fit(images).offset
    assert PriorAdjusted().fit(images).offset == pytest.approx(expected)


def test_tau_for_balanced_accuracy_of_a_calibrated_network_is_about_one():
    images = long_tailed(20_000)
    offset = PriorAdjusted("balanced_accuracy").fit(images).offset
    share = np.array(images.class_counts) / sum(images.class_counts)
    assert (offset / -np.log(share))[1] == pytest.approx(1, abs=0.2)


def test_accuracy_leaves_a_calibrated_network_as_it_is():
    offset = PriorAdjusted("accuracy").fit(long_tailed(20_000)).offset
    assert offset == pytest.approx(np.zeros(3), abs=0.25)


def test_weights_count():
    images = long_tailed(500, seed=1)
    images.weight = np.array([1.0, 1.0, 30.0])[images.label]
    assert np.ptp(PriorAdjusted("accuracy").fit(images).offset) > 1


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"tau": -1}, "tau must be at least 0"),
        ({"tau": float("nan")}, "tau"),
        ({"score": "ece"}, "ece does not depend"),
    ],
)
def test_settings_are_refused(settings, said):
    with pytest.raises(UserError, match=said):
        PriorAdjusted(**settings)


def test_class_without_training_images_is_refused():
    with pytest.raises(UserError, match="The class mel has no training image"):
        PriorAdjusted().fit(make([0, 1], np.eye(2), counts=(4, 0)))
