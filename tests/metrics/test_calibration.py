"""Brier score and log loss against scikit-learn, calibration of each class by loops and by hand."""

import math

import numpy as np
import pytest
import torch
from sklearn import metrics as sk

from lightning_imbal.metrics.calibration import brier_score, class_calibration_error, log_loss
from lightning_imbal.metrics.ranking import sorted_by_class


def exactly(value):
    return pytest.approx(value, abs=1e-12, rel=0)


def made(images=300, seed=0):
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 4, images)
    probability = rng.dirichlet(np.ones(4), images)
    probability[:4] = np.eye(4)  # certain, and often wrong
    return torch.from_numpy(probability), torch.from_numpy(label)


def class_errors(probability, label):
    return [class_calibration_error(*of_class) for of_class in sorted_by_class(probability.numpy(), label.numpy())]


@pytest.mark.parametrize("seed", range(3))
def test_brier_score_and_log_loss_equal_sklearn(seed):
    probability, label = made(seed=seed)
    expected = sk.brier_score_loss(label, probability, labels=range(4), scale_by_half=False)
    assert brier_score(probability, label).item() == exactly(expected)
    assert log_loss(probability, label).item() == exactly(sk.log_loss(label, probability, labels=range(4)))


def test_certain_answers():
    right, wrong = torch.tensor([0, 1]), torch.tensor([1, 0])
    certain = torch.eye(2, dtype=torch.float64)
    assert brier_score(certain, right).item() == 0.0 and brier_score(certain, wrong).item() == 2.0
    assert log_loss(certain, right).item() == pytest.approx(0, abs=1e-15)
    assert log_loss(certain, wrong).item() == exactly(-math.log(2**-52))
    assert class_errors(certain, right) == [0.0, 0.0]
    assert class_errors(certain, wrong) == [1.0, 1.0]


def test_calibration_of_each_class_by_loops():
    probability, label = made()
    expected = []
    for c in range(4):
        bins = [[] for _ in range(15)]
        for p, true in zip(probability[:, c].tolist(), label.tolist(), strict=True):
            bins[max(b for b in range(15) if p >= b / 15)].append((p, true == c))
        gaps = [abs(sum(p for p, _ in each) - sum(true for _, true in each)) for each in bins]
        expected.append(sum(gaps) / len(label))
    assert class_errors(probability, label) == exactly(expected)


def test_calibration_of_a_class_by_hand():
    # Of class 0: 0.9 and 0.95 lie in bins 13 and 14, 0.2 in bin 3; only the first two come true.
    probability = torch.tensor([[0.9, 0.1], [0.95, 0.05], [0.2, 0.8]], dtype=torch.float64)
    expected = [(0.1 + 0.05 + 0.2) / 3, (0.1 + 0.05 - 0 + 0.2) / 3]
    assert class_errors(probability, torch.tensor([0, 0, 1])) == exactly(expected)
    # In one bin, what is too sure and what is too unsure make up for each other.
    half = torch.tensor([[0.5, 0.5], [0.5, 0.5]], dtype=torch.float64)
    assert class_errors(half, torch.tensor([0, 1])) == [0.0, 0.0]
