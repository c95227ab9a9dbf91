"""Predictions of runs that never were."""

import numpy as np

from lightning_imbal.runs.predictions import Predictions

NAMES = ("nv", "mel", "bkl/lk", "df")
COUNTS = (400, 60, 30, 7)
GROUPS = {"major": ("nv",), "middle": ("bkl/lk", "mel"), "minor": ("df",)}


def make(label, probability, unit=None, image=None, names=NAMES, counts=COUNTS, groups=GROUPS):
    image = np.array([f"i{row:04d}" for row in range(len(label))] if image is None else image)
    unit = np.char.add("image ", image) if unit is None else np.array(unit)
    label, probability = np.array(label, dtype=np.int64), np.array(probability, dtype=np.float64)
    return Predictions(
        image, unit, np.ones(len(label), dtype=bool), label, probability, tuple(names), tuple(counts), groups
    )


def long_tailed(num_images, seed=0, classes=range(4), decimals=None, noise=0):
    """Predictions of some skill; with `decimals` many probabilities tie."""
    rng = np.random.default_rng(seed)
    classes = np.array(classes)
    share = np.array(COUNTS)[classes] ** 0.5
    label = np.concatenate([classes, rng.choice(classes, num_images - len(classes), p=share / share.sum())])
    logits = np.random.default_rng([seed, noise]).normal(size=(num_images, 4)) + 1.2 * np.eye(4)[label]
    probability = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    unit = [f"lesion {u}" for u in rng.integers(0, num_images // 2 + 1, num_images)]
    return make(label, probability if decimals is None else probability.round(decimals), unit)


def predicted(label, prediction, **others):
    """Predictions of 0.7 for the predicted class."""
    return make(label, 0.1 + 0.6 * np.eye(4)[prediction], **others)
