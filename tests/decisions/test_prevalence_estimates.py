"""Intervals of estimated shares: by hand where classes are sure, of units, and how often they hold the truth."""

import numpy as np
import pytest
from made_posteriors import alone, drawn, labelled
from scipy.stats import beta

from lightning_imbal.decisions import prevalence_estimates
from lightning_imbal.decisions.black_box_shift import black_box_shift
from lightning_imbal.decisions.label_shift import expectation_maximisation
from lightning_imbal.decisions.prevalence_estimates import estimate_by_answers, estimate_by_probabilities
from lightning_imbal.decisions.temperature import bias_corrected_temperature
from lightning_imbal.errors import UserError

PRIORS = {3: np.array([0.7, 0.2, 0.1]), 7: np.array([0.45, 0.2, 0.12, 0.09, 0.06, 0.05, 0.03])}
SHARES = {3: np.array([0.3, 0.3, 0.4]), 7: np.array([0.2, 0.05, 0.1, 0.3, 0.02, 0.03, 0.3])}
WRONG = {"power": 2.0, "bias": np.array([0.5, -1.0, 0.5])}


@pytest.fixture(autouse=True)
def fewer_resamples(monkeypatch):
    monkeypatch.setattr(prevalence_estimates, "RESAMPLES", 300)


def both(validation, probability, unit=None):
    unit = alone(len(probability)) if unit is None else np.array(unit)
    yield estimate_by_probabilities(validation, probability, unit)
    answers = (each.argmax(axis=1) for each in (validation.probability, probability))
    yield estimate_by_answers(validation, *answers, unit)


def made(seed, number=150, validation=200, classes=3, **network):
    """Validation images, and probabilities of images of other shares."""
    rng = np.random.default_rng(seed)
    known = labelled(*drawn(rng, validation, PRIORS[classes], PRIORS[classes], **network))
    return known, drawn(rng, number, SHARES[classes], PRIORS[classes], **network)[0]


def test_of_sure_images_intervals_are_those_of_jeffreys(monkeypatch):
    monkeypatch.setattr(prevalence_estimates, "RESAMPLES", 3000)
    label = np.repeat([0, 1, 2], 400)
    known, new = labelled(0.997 * np.eye(3)[label] + 0.001, label), np.repeat([0, 1], [27, 3])
    for found in both(known, 0.997 * np.eye(3)[new] + 0.001):
        np.testing.assert_allclose(found.share, [0.9, 0.1, 0], atol=2e-3)
        law = beta(np.array([27.5, 3.5, 0.5]), np.array([4, 28, 31]))
        np.testing.assert_allclose(found.high, law.ppf(0.975), atol=0.02)
        np.testing.assert_allclose(found.low, np.r_[law.ppf(0.025)[:2], 0], atol=0.02)
        assert found.high[2] > 0.05 and found.warnings == []


def test_shares_are_those_of_the_methods():
    known, new = made(0, **WRONG)
    calibration = bias_corrected_temperature(known)
    by_probabilities, by_answers = both(known, new)
    share = expectation_maximisation(calibration.calibrated(new), np.bincount(known.label) / 200)
    np.testing.assert_array_equal(by_probabilities.share, share)
    share = black_box_shift(known, known.probability.argmax(axis=1), new.argmax(axis=1))
    np.testing.assert_array_equal(by_answers.share, share)
    for found in (by_probabilities, by_answers):
        assert ((found.low <= found.share) & (found.share <= found.high)).all()
        assert (found.low >= 0).all() and (found.high <= 1).all()


def test_copies_of_images_in_their_units_tell_nothing_new():
    known, new = made(1)
    copies = labelled(known.probability.repeat(3, axis=0), known.label.repeat(3), unit=known.unit.repeat(3))
    pairs = zip(both(known, new), both(copies, new.repeat(2, axis=0), alone(len(new)).repeat(2)), strict=True)
    for once, several in pairs:
        for end in ("low", "share", "high"):
            np.testing.assert_allclose(getattr(several, end), getattr(once, end), atol=1e-4)


def test_images_without_labels_and_validation_images_both_add_to_the_width():
    known, new = made(2)
    more = labelled(known.probability.repeat(9, axis=0), known.label.repeat(9))
    width = [[(found.high - found.low).mean() for found in both(*sets)] for sets in ((known, new), (more, new))]
    assert (np.array(width[1]) < 0.95 * np.array(width[0])).all()
    many = [(found.high - found.low).mean() for found in both(known, new.repeat(9, axis=0))]
    assert (np.array(many) < 0.95 * np.array(width[0])).all()


def test_draws_in_parts_are_as_many(monkeypatch):
    known, new = made(3)
    whole = list(both(known, new))
    monkeypatch.setattr(prevalence_estimates, "MAX_ELEMENTS", 90 * (len(new) + len(known.label)))
    assert [len(part.new[0]) for part in prevalence_estimates._draws(known, alone(len(new)), 0)] == [90, 90, 90, 30]
    for found, expected in zip(both(known, new), whole, strict=True):
        np.testing.assert_allclose(found.high, expected.high, atol=0.04)


def test_what_speaks_against_an_estimate_is_said():
    rng = np.random.default_rng(4)
    label = np.r_[np.repeat([0, 1], 100), [2] * 9]
    known = labelled(np.eye(3)[label] * 0.9 + 0.1 / 3, label)
    for found in both(known, known.probability):
        assert found.warnings == ["there are only 9 images of bkl in validation: the intervals may be too narrow"]
    label = np.repeat([0, 1, 2], 100)
    probability = np.where(label[:, None] == 0, [0.8, 0.1, 0.1], [0.1, 0.45, 0.45])
    probability *= np.c_[np.ones(300), rng.uniform(0.5, 1.5, (300, 2))]
    probability /= probability.sum(axis=1, keepdims=True)
    (by_probabilities,) = estimate_by_probabilities(labelled(probability, label), probability, alone(300)).warnings
    assert by_probabilities == "the probabilities hardly tell mel and bkl apart: their shares may be exchanged"
    answers = np.where(label == 0, 0, 1 + (rng.random(300) < 0.5))
    (by_answers,) = estimate_by_answers(labelled(probability, label), answers, answers, alone(300)).warnings
    assert by_answers == "the answers hardly tell mel and bkl apart: their shares may be exchanged"


def test_lesions_are_counted_where_they_are_known():
    label = np.repeat([0, 1], 40)
    unit = [f"lesion {k // 8}" for k in range(40)] + [f"lesion {k // 2}" for k in range(40, 80)]
    known = labelled(np.eye(2)[label] * 0.8 + 0.1, label, unit=unit)
    for found in both(known, known.probability):
        few = "there are only 5 lesions or patients of nv in validation: the intervals may be too narrow"
        assert found.warnings == [few]


def test_a_class_without_validation_images_is_refused():
    known = labelled(np.full((4, 3), 1 / 3), [0, 0, 1, 1])
    with pytest.raises(UserError, match="no validation image of bkl"):
        estimate_by_probabilities(known, known.probability, alone(4))


def held(classes, number, draws, **network):
    """How often intervals hold the truth, a row for each method and a column for each class."""
    inside = []
    for seed in range(draws):
        ends = [(found.low, found.high) for found in both(*made([seed, 9], number, 500, classes, **network))]
        inside.append([(low <= SHARES[classes]) & (SHARES[classes] <= high) for low, high in ends])
    return np.mean(inside, axis=0)


def test_intervals_hold_the_truth():
    found = held(3, 200, 40, **WRONG)
    assert (found.mean(axis=1) > 0.88).all() and (found > 0.8).all()


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("number", [200, 2000])
@pytest.mark.parametrize("classes", [3, 7])
def test_intervals_hold_the_truth_in_90_to_99_percent(classes, number):
    bias = np.linspace(-1, 1, classes)
    found = held(classes, number, 300, power=2.0, bias=bias)
    assert ((found.mean(axis=1) > 0.9) & (found.mean(axis=1) < 0.99)).all()
    # Of a single class, within what 300 draws vary by.
    assert (found > 0.9 - 3 * (0.9 * 0.1 / 300) ** 0.5).all()
