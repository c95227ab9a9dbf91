"""Expectation maximisation against its equation, a public implementation and known shares."""

import numpy as np
import pytest
from made_posteriors import drawn, labelled

from lightning_imbal.decisions.label_shift import balanced_means, expectation_maximisation, large_entries, told_apart

PRIOR, SHARE = np.array([0.7, 0.2, 0.1]), np.array([0.2, 0.3, 0.5])


def slow(probability, prior):
    """Saerens et al. 2002, Eq. 2.9, image by image."""
    share, change = list(prior), 1.0
    while change > 1e-13:
        total = [0.0] * len(prior)
        for row in probability:
            odds = [s / p * chance for s, p, chance in zip(share, prior, row, strict=True)]
            total = [t + o / sum(odds) for t, o in zip(total, odds, strict=True)]
        last, share = share, [t / len(probability) for t in total]
        change = max(abs(a - b) for a, b in zip(last, share, strict=True))
    return np.array(share)


@pytest.mark.parametrize("seed", range(3))
def test_equals_the_equation_repeated_until_nothing_changes(seed):
    probability, _ = drawn(np.random.default_rng(seed), 40, SHARE, PRIOR)
    np.testing.assert_allclose(expectation_maximisation(probability, PRIOR), slow(probability, PRIOR), atol=1e-8)


@pytest.mark.parametrize("seed", range(10))
def test_no_share_makes_few_and_vague_images_more_likely(seed):
    rng = np.random.default_rng(seed)
    prior, share = rng.dirichlet(np.full(3, 2.0)), rng.dirichlet(np.full(3, 0.4))
    probability, _ = drawn(rng, 30, share, prior, distance=0.7)
    found, odds = expectation_maximisation(probability, prior), probability / prior
    # How the mean logarithm of the likelihood changes with each share: as with their sum where there is any.
    slope = (odds / (odds @ found)[:, None]).mean(axis=0)
    assert (slope < 1 + 1e-5).all() and (slope[found > 1e-3] > 1 - 1e-5).all()


def test_by_hand_where_probabilities_are_sure():
    probability = np.eye(3)[[0, 0, 0, 1, 2]]
    np.testing.assert_allclose(expectation_maximisation(probability, PRIOR), [0.6, 0.2, 0.2], atol=1e-9)


def test_two_kinds_of_images_by_hand():
    # Likelihoods 3:1 for 6 images and 1:3 for 4: 6 log(1 + 2 q) + 4 log(3 - 2 q) is largest at q = 0.7.
    probability = np.array([[0.75, 0.25]] * 6 + [[0.25, 0.75]] * 4)
    np.testing.assert_allclose(expectation_maximisation(probability, np.full(2, 0.5)), [0.7, 0.3], atol=1e-8)
    # With likelihoods 2:1 only, the maximum would be at q = 0.8.
    probability = np.array([[2, 1]] * 6 + [[1, 2]] * 4) / 3
    np.testing.assert_allclose(expectation_maximisation(probability, np.full(2, 0.5)), [0.8, 0.2], atol=1e-8)


def test_shares_that_did_not_change_stay_and_those_that_did_are_found():
    rng = np.random.default_rng(0)
    probability, label = drawn(rng, 40_000, PRIOR, PRIOR)
    np.testing.assert_allclose(expectation_maximisation(probability, PRIOR), PRIOR, atol=0.01)
    probability, label = drawn(rng, 40_000, SHARE, PRIOR)
    np.testing.assert_allclose(expectation_maximisation(probability, PRIOR), SHARE, atol=0.015)


def test_equals_a_public_implementation():
    label_shift = pytest.importorskip("abstention.label_shift")
    probability, label = drawn(np.random.default_rng(1), 300, SHARE, PRIOR)
    adapter = label_shift.EMImbalanceAdapter(
        estimate_priors_from_valid_labels=True, tolerance=1e-13, max_iterations=100_000
    )
    known = np.eye(3)[np.repeat(np.arange(3), [70, 20, 10])]
    found = adapter(probability, known * 0.8 + 0.2 / 3, known).multipliers * PRIOR
    np.testing.assert_allclose(expectation_maximisation(probability, PRIOR), found, atol=1e-8)


def test_a_class_that_could_not_be_is_refused():
    with pytest.raises(ValueError, match="above 0"):
        expectation_maximisation(np.full((2, 3), 1 / 3), np.array([0.5, 0.5, 0.0]))


def test_how_well_classes_are_told_apart():
    assert told_apart(np.vstack([np.zeros(3), np.eye(3)]))[0] == pytest.approx(1)
    least, direction = told_apart(np.array([[0, 0], [0.6, 0.4], [0.4, 0.6]]))
    assert least == pytest.approx(0.2) and abs(direction) == pytest.approx([0.5**0.5] * 2)


def test_balanced_means_by_hand():
    # Classes 3 : 1, so odds are divided by 3.
    images = labelled([[0.75, 0.25], [0.9, 0.1], [0.5, 0.5], [0.6, 0.4]], [0, 0, 1, 0])
    zero = np.array([0.5, 3 / 4, 0.25, 1 / 3])
    expected = [[zero[[0, 1, 3]].mean(), 0.25], [1 - zero[[0, 1, 3]].mean(), 0.75]]
    np.testing.assert_allclose(balanced_means(images), expected)


def test_alike_classes_are_named():
    label = np.repeat(np.arange(3), [6, 3, 1])
    assert told_apart(balanced_means(labelled(np.eye(3)[label], label)))[0] == pytest.approx(1)
    alike = np.where(label[:, None] == 0, [1.0, 0, 0], [0, 0.75, 0.25])
    least, direction = told_apart(balanced_means(labelled(alike, label)))
    assert least == pytest.approx(0, abs=1e-12)
    assert large_entries(direction, ("nv", "mel", "bkl")) == ["mel", "bkl"]


def test_classes_are_told_apart_as_fast_as_expectation_maximisation_converges():
    prior = np.full(3, 1 / 3)
    probability, label = drawn(np.random.default_rng(2), 20_000, prior, prior, distance=1.0)
    least, _ = told_apart(balanced_means(labelled(probability, label)))
    assert least == pytest.approx(1 - rate(probability, prior), abs=0.02)


def rate(probability, prior):
    """By how much an error of the shares that is slowest to vanish shrinks in a step of Eq. 2.9, by differences."""

    def step(share):
        odds = probability * share / prior
        return (odds / odds.sum(axis=1, keepdims=True)).mean(axis=0)

    end = expectation_maximisation(probability, prior)
    slopes = [(step(end + 1e-6 * towards) - step(end - 1e-6 * towards)) / 2e-6 for towards in np.eye(len(prior))]
    return max(np.linalg.eigvals(np.array(slopes)).real)
