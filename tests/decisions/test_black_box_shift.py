"""Shares by the answers: by hand, against a general solver, and what is refused."""

import numpy as np
import pytest
from made_posteriors import drawn, labelled
from scipy.optimize import minimize

from lightning_imbal.decisions.black_box_shift import answer_shares, black_box_shift, on_simplex
from lightning_imbal.errors import UserError


def images(label, number=3):
    return labelled(np.full((len(label), number), 1 / number), label)


LABEL = np.repeat([0, 1, 2], [10, 5, 4])
ANSWERS = np.r_[[0] * 8, [1] * 2, [1] * 4, [2], [2] * 3, [0]]  # recalls 0.8, 0.8, 0.75


def test_share_of_each_answer_by_hand():
    expected = [[0, 0, 0], [0.8, 0, 0.25], [0.2, 0.8, 0], [0, 0.2, 0.75]]
    np.testing.assert_allclose(answer_shares(images(LABEL), ANSWERS), expected)


def test_shares_whose_answers_are_the_expected_ones_are_found():
    # Half of class 0, 0.3 of class 1, 0.2 of class 2: 0.45, 0.34 and 0.21 of the answers.
    test_answers = np.repeat([0, 1, 2], [45, 34, 21])
    np.testing.assert_allclose(black_box_shift(images(LABEL), ANSWERS, test_answers), [0.5, 0.3, 0.2], atol=1e-9)


def test_no_answer_is_one_more_answer():
    answers, test_answers = np.where(ANSWERS == 2, -1, ANSWERS), np.repeat([0, 1, -1], [45, 34, 21])
    np.testing.assert_allclose(black_box_shift(images(LABEL), answers, test_answers), [0.5, 0.3, 0.2], atol=1e-9)


def test_weights_of_images_count():
    weighted = labelled(np.full((5, 2), 0.5), [0, 0, 0, 1, 1], weight=[1, 1, 2, 1, 3])
    np.testing.assert_allclose(answer_shares(weighted, np.array([0, 0, 1, 0, 1]))[1:], [[0.5, 0.25], [0.5, 0.75]])


@pytest.mark.parametrize("seed", range(5))
def test_least_squares_on_the_simplex(seed):
    rng = np.random.default_rng(seed)
    given, answered = rng.dirichlet(np.ones(4), 4).T, rng.dirichlet(np.full(4, 0.3))
    best = minimize(
        lambda share: ((given @ share - answered) ** 2).sum(),
        np.full(4, 0.25),
        bounds=[(0, 1)] * 4,
        constraints={"type": "eq", "fun": lambda share: share.sum() - 1},
        method="SLSQP",
        options={"ftol": 1e-15},
    )
    share = on_simplex(given, answered)
    assert share.sum() == pytest.approx(1) and (share >= 0).all()
    assert ((given @ share - answered) ** 2).sum() <= best.fun + 1e-12
    np.testing.assert_allclose(share, best.x, atol=1e-5)


def test_finds_known_shares_also_of_probabilities_that_are_not_calibrated():
    rng, prior, share = np.random.default_rng(0), np.array([0.7, 0.2, 0.1]), np.array([0.2, 0.3, 0.5])
    wrong = {"power": 3.0, "bias": np.array([0.0, 1.0, -1.0])}
    probability, label = drawn(rng, 40_000, prior, prior, **wrong)
    new, _ = drawn(rng, 40_000, share, prior, **wrong)
    found = black_box_shift(labelled(probability, label), probability.argmax(axis=1), new.argmax(axis=1))
    np.testing.assert_allclose(found, share, atol=0.03)


def test_answers_that_cannot_tell_classes_apart_are_refused():
    label, test_answers = np.repeat([0, 1, 2], 4), np.arange(3)
    with pytest.raises(UserError, match="mel, bkl is never answered for validation images"):
        black_box_shift(images(label), np.zeros(12, dtype=int), test_answers)
    alike = np.r_[[0] * 4, [1, 1, 2, 2], [1, 1, 2, 2]]
    with pytest.raises(UserError, match="mel, bkl cannot be told apart by the answers"):
        black_box_shift(images(label), alike, test_answers)
    with pytest.raises(UserError, match="no validation image of bkl"):
        black_box_shift(images(np.repeat([0, 1], 4)), np.repeat([0, 1], 4), test_answers)
