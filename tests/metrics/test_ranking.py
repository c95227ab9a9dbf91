"""Ranking scores and operating points: against scikit-learn, and all thresholds in turn."""

import numpy as np
import pytest
from sklearn import metrics as sk

from lightning_imbal.metrics.ranking import ranking_scores
from lightning_imbal.score_names import OF_RANKING


def exactly(value):
    return pytest.approx(value, abs=1e-12, rel=0)


def made(seed=0, images=200, decimals=None, classes=4):
    """Predictions of some skill; with `decimals` many probabilities tie."""
    rng = np.random.default_rng(seed)
    label = np.concatenate([np.arange(classes), rng.integers(0, classes, images - classes)])
    probability = rng.dirichlet(np.ones(classes), images) / 2 + rng.random((images, 1)) / 2 * np.eye(classes)[label]
    return probability if decimals is None else probability.round(decimals), label


def best_of_all_thresholds(probability, positive, of, at_least, bound):
    """The best value of one share over all thresholds at which the other one reaches a bound."""
    best = 0.0
    for t in [*probability, np.inf]:
        found = probability >= t
        shares = {
            "sensitivity": found[positive].sum() / positive.sum(),
            "specificity": (~found[~positive]).sum() / (~positive).sum(),
        }
        if shares[at_least] >= bound:
            best = max(best, shares[of])
    return best


def partial_auc(probability, positive, least=0.8):
    """As the ISIC 2024 challenge has it: labels and scores turned round, and without McClish's scale."""
    highest = 1 - least
    scaled = sk.roc_auc_score(~positive, 1 - probability, max_fpr=highest)
    smallest = highest**2 / 2
    return smallest + (highest - smallest) * (scaled - 0.5) / 0.5


@pytest.mark.parametrize("decimals", [None, 2, 1, 0])
@pytest.mark.parametrize("seed", range(4))
def test_scores_of_every_class(seed, decimals):
    probability, label = made(seed, decimals=decimals)
    scores = ranking_scores(probability, label)
    assert list(scores) == list(OF_RANKING)
    for c in range(4):
        positive, of_class = label == c, probability[:, c]
        expected = {
            "auc": sk.roc_auc_score(positive, of_class),
            "ap": sk.average_precision_score(positive, of_class),
            "sensitivity_at_90": best_of_all_thresholds(of_class, positive, "sensitivity", "specificity", 0.9),
            "sensitivity_at_95": best_of_all_thresholds(of_class, positive, "sensitivity", "specificity", 0.95),
            "specificity_at_90": best_of_all_thresholds(of_class, positive, "specificity", "sensitivity", 0.9),
            "pauc": partial_auc(of_class, positive),
        }
        assert {kind: values[c] for kind, values in scores.items()} == exactly(expected)


def of_two(first, others):
    """The scores of the first of two classes, whose images and others have these probabilities of it."""
    probability = np.array([*first, *others], dtype=float)
    label = np.array([0] * len(first) + [1] * len(others))
    scores = ranking_scores(np.stack([probability, 1 - probability], axis=1), label)
    return {kind: values[0] for kind, values in scores.items()}


def test_bounds_that_are_just_reached():
    """One of ten others is above four of five images."""
    scores = of_two([0.9, 0.8, 0.8, 0.8, 0.1], [0.85] + [0.05] * 9)
    assert scores["sensitivity_at_90"] == 1.0
    assert scores["sensitivity_at_95"] == 1 / 5
    assert scores["specificity_at_90"] == 9 / 10


def test_a_bound_that_is_only_reached_by_finding_nothing():
    scores = of_two([0.5, 0.5], [0.5, 0.5, 0.9])
    assert scores["sensitivity_at_90"] == 0.0
    assert scores["specificity_at_90"] == 0.0


def test_partial_area_by_hand():
    # From a sensitivity of 4/5 on, the specificity is that of the last image: below it are three of four others.
    assert of_two([0.9, 0.9, 0.9, 0.9, 0.4], [0.5, 0.3, 0.2, 0.1])["pauc"] == exactly(0.2 * 3 / 4)
    # All tie: the ROC curve is the diagonal, the area 0.2 * 0.2 / 2.
    assert of_two([0.5] * 3, [0.5] * 7)["pauc"] == exactly(0.02)
    assert of_two([0.9, 0.8], [0.2])["pauc"] == exactly(0.2)
    assert of_two([0.2, 0.1], [0.9])["pauc"] == 0.0


def test_class_without_images_or_without_others():
    probability, _ = made(images=9)
    for label, able in (([0, 1, 1] * 3, [0, 1]), ([2] * 9, [])):
        scores = ranking_scores(probability, np.array(label))
        for kind, undefined in OF_RANKING.items():
            others = [c for c in range(4) if c not in able]
            assert scores[kind][others].tolist() == [undefined] * len(others), kind
            assert np.isfinite(scores[kind]).all()
    assert OF_RANKING["auc"] == 0.5 and sum(OF_RANKING.values()) == 0.5
