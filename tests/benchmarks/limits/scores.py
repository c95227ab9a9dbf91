"""Scores of a validation epoch, beside the areas under all ROC curves alone, each of which takes one sort."""

import numpy as np
import torch
from pairs import Pair

from lightning_imbal.metrics import classification_scores

IMAGES, CLASSES = 100_000, 23


def pairs() -> list[Pair]:
    """Rows of the table."""
    rng, share = np.random.default_rng(0), np.geomspace(1, 0.01, CLASSES)
    label = rng.choice(CLASSES, IMAGES, p=share / share.sum())
    logits = torch.from_numpy(rng.normal(size=(IMAGES, CLASSES)) + 2 * np.eye(CLASSES)[label])
    probability, names = logits.softmax(dim=1).float(), [f"class {c}" for c in range(CLASSES)]
    about = np.bincount(label).tolist(), names, {"all": names}
    return [
        Pair(
            f"all scores of {IMAGES:,} x {CLASSES}, overall, by class and group",
            "AUC alone, by one sort per class",
            lambda: areas(probability.numpy(), label),
            lambda: classification_scores(probability, torch.from_numpy(label), *about),
            goal=0.12,
            unit="s",
        )
    ]


def areas(probability: np.ndarray, label: np.ndarray) -> list[float]:
    """Of each class, by the ranks of its images, which do not tie."""
    found = []
    for c, of_class in enumerate(probability.T.copy()):
        own = np.sort(of_class[label == c])
        rank = np.searchsorted(np.sort(of_class), own).sum()
        positives, negatives = len(own), len(label) - len(own)
        found.append((rank - positives * (positives - 1) / 2) / (positives * negatives))
    return found
