"""Validation images that never were."""

import numpy as np

from lightning_imbal.decisions.base import Labelled

NAMES = ("nv", "mel", "bcc", "df", "vasc", "bkl", "ak")


def make(label, probability, unit=None, counts=None, weight=None, groups=None):
    label, probability = np.array(label, dtype=np.int64), np.array(probability, dtype=np.float64)
    number = probability.shape[1]
    unit = np.array([f"image {row}" for row in range(len(label))] if unit is None else unit)
    counts = tuple(range(10 * number, 0, -10)) if counts is None else counts
    weight = np.ones(len(label)) if weight is None else np.array(weight, dtype=np.float64)
    return Labelled(probability, label, unit, NAMES[:number], counts, groups or {}, weight)


def long_tailed(images, classes=3, seed=0, skill=1.2, tail=10, decimals=None, weighted=False):
    """Posteriors of normal features with means that lie `skill` apart, of classes that get rarer up to `tail` times."""
    rng = np.random.default_rng(seed)
    share = tail ** -np.linspace(0, 1, classes)
    share /= share.sum()
    label = np.concatenate([np.arange(classes), rng.choice(classes, images - classes, p=share)])
    feature = rng.normal(size=(images, classes)) + skill * np.eye(classes)[label]
    odds = share * np.exp(skill * feature)
    probability = odds / odds.sum(axis=1, keepdims=True)
    if decimals is not None:
        probability = probability.round(decimals)
    weight = rng.uniform(0.5, 2, classes)[label] if weighted else None
    counts = tuple(int(images) for images in np.ceil(1000 * share))
    return make(label, probability, counts=counts, weight=weight, groups={"rare": NAMES[1:classes]})
