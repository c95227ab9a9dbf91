"""Ranking scores and operating points: against scikit-learn, and all thresholds in turn."""

import math

import numpy as np
import pytest
import torch
from sklearn import metrics as sk

from lightning_imbal.metrics import classification_scores
from lightning_imbal.metrics import ranking as ranking_module
from lightning_imbal.metrics.ranking import ranking_scores, sorted_by_class
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
    for c, of_class in enumerate(sorted_by_class(probability, label)):
        scores = ranking_scores(*of_class)
        assert list(scores) == list(OF_RANKING)
        positive, of_class = label == c, probability[:, c]
        expected = {
            "auc": sk.roc_auc_score(positive, of_class),
            "ap": sk.average_precision_score(positive, of_class),
            "sensitivity_at_90": best_of_all_thresholds(of_class, positive, "sensitivity", "specificity", 0.9),
            "sensitivity_at_95": best_of_all_thresholds(of_class, positive, "sensitivity", "specificity", 0.95),
            "specificity_at_90": best_of_all_thresholds(of_class, positive, "specificity", "sensitivity", 0.9),
            "pauc": partial_auc(of_class, positive),
        }
        assert scores == exactly(expected)


def of_two(first, others):
    """The scores of the first of two classes, whose images and others have these probabilities of it."""
    probability = np.array([*first, *others], dtype=float)
    label = np.array([0] * len(first) + [1] * len(others))
    return ranking_scores(*next(sorted_by_class(np.stack([probability, 1 - probability], axis=1), label)))


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
    names = ["a", "b", "c", "d"]
    for label, able in (([0, 1, 1] * 3, "ab"), ([2] * 9, "")):
        scores = classification_scores(torch.from_numpy(probability), torch.tensor(label), [1] * 4, names, {})
        for kind, undefined in OF_RANKING.items():
            others = [scores[f"{kind}/{name}"] for name in names if name not in able]
            assert others == [undefined] * len(others), kind
            assert all(math.isfinite(scores[f"{kind}/{name}"]) for name in names)
    assert OF_RANKING["auc"] == 0.5 and sum(OF_RANKING.values()) == 0.5


def by_sorted_rows(probability, positive):
    """The scores from the whole curve, with a point at each probability of any image, whose rows are sorted."""
    order = np.argsort(-probability)
    ranked = probability[order]
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    hits = np.append(0, np.cumsum(positive[order])[last])
    alarms = np.append(0, last + 1) - hits
    sensitivity, specificity = hits / hits[-1], 1 - alarms / alarms[-1]
    first = np.searchsorted(sensitivity, 0.8)
    at_least = np.interp(0.8, sensitivity[first - 1 : first + 1], specificity[first - 1 : first + 1])
    return {
        "auc": np.trapezoid(specificity, sensitivity),
        "ap": np.diff(sensitivity) @ (hits[1:] / (hits[1:] + alarms[1:])),
        "sensitivity_at_90": sensitivity[specificity >= 0.90].max(),
        "sensitivity_at_95": sensitivity[specificity >= 0.95].max(),
        "specificity_at_90": specificity[sensitivity >= 0.90].max(),
        "pauc": np.trapezoid(np.append(at_least, specificity[first:]), np.append(0.8, sensitivity[first:])),
    }


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("decimals", [None, 2])
def test_numbers_alone_rank_as_rows_do(dtype, decimals, monkeypatch):
    monkeypatch.setattr(ranking_module, "CLASSES_AT_ONCE", 2)
    monkeypatch.setattr(ranking_module, "AT_ONCE", 0)
    probability, label = made(images=2000, decimals=decimals, classes=7)
    probability = probability.astype(dtype)
    before = probability.copy()
    for c, of_class in enumerate(sorted_by_class(probability, label)):
        assert ranking_scores(*of_class) == exactly(by_sorted_rows(probability[:, c].astype(float), label == c))
    assert c == 6 and (probability == before).all()
