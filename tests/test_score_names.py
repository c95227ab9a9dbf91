"""The table of scores: it names what is computed, and what it says of a score is so."""

import numpy as np
import pytest
import torch

from lightning_imbal.metrics import classification_scores
from lightning_imbal.score_names import (
    OF_CLASS,
    OF_GROUP,
    OF_PROBABILITY,
    SCORES,
    SHOWN_OF_ANY,
    SHOWN_OF_ORDERED,
    lower_is_better,
)
from lightning_imbal.stats.resampled_scores import OF_PROBABILITIES, PER_GROUP, SUMMARY

NAMES, COUNTS = ["a", "b", "c", "d"], [60, 50, 40, 30]
LABEL = np.arange(80) % 4


def scores_of(predicted, label=LABEL, confidence=0.9):
    probability = torch.full((len(label), 4), (1 - confidence) / 3)
    probability[torch.arange(len(label)), torch.tensor(predicted)] = confidence
    return classification_scores(probability, torch.tensor(label), COUNTS, NAMES, {"all": NAMES})


def test_every_score_is_named_and_resampled():
    found = scores_of(LABEL)
    assert set(SCORES) == {key for key in found if "/" not in key} == {*SUMMARY, *OF_PROBABILITIES}
    assert {*OF_CLASS, *OF_PROBABILITY, *OF_GROUP} == {key.partition("/")[0] for key in found if "/" in key}
    assert set(OF_GROUP) == set(PER_GROUP)
    assert set(OF_PROBABILITY) <= set(SCORES)
    assert set(SHOWN_OF_ORDERED) - set(SHOWN_OF_ANY) == {
        *("kappa", "kendall_tau", "mean_grade_error", "macro_grade_error", "adjacent_accuracy")
    }
    assert set(SCORES) - set(SHOWN_OF_ORDERED) == {"recall", *OF_PROBABILITY, "brier", "log_loss"} - {"auc"}


@pytest.mark.parametrize("key", SCORES)
def test_right_predictions_have_the_better_score(key):
    right, wrong = scores_of(LABEL)[key], scores_of((LABEL + 1) % 4)[key]
    assert right < wrong if lower_is_better(key) else right > wrong


def test_less_is_better_of_the_calibration_of_a_class():
    assert lower_is_better("cce/a") and not lower_is_better("pauc/a")


@pytest.mark.parametrize("key", ["f1/a", "group_recall/all"])
def test_more_is_better_of_a_class_and_of_a_group(key):
    assert not lower_is_better(key)


@pytest.mark.parametrize("key", SCORES)
def test_only_scores_of_ordered_classes_depend_on_the_order(key):
    # Mistakes between a and b: neighbours, and after the renaming the two ends. The rarest class keeps its place.
    renamed = np.array([0, 2, 1, 3])
    predicted = np.where((LABEL == 0) & (np.arange(80) < 40), 1, LABEL)
    before, after = scores_of(predicted)[key], scores_of(renamed[predicted], renamed[LABEL])[key]
    assert (before != pytest.approx(after, abs=1e-6)) == SCORES[key].ordered
