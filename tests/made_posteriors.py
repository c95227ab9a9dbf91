"""Validation images that never were, whose posteriors are known."""

import numpy as np

from lightning_imbal.decisions.base import Labelled

NAMES = ("nv", "mel", "bkl", "df", "vasc", "scc", "ak")


def alone(number):
    """Units of images whose lesion is not known."""
    return np.array([f"image {place}" for place in range(number)], dtype=object)


def labelled(probability, label, unit=None, weight=None):
    probability, label = np.array(probability, dtype=np.float64), np.array(label, dtype=np.int64)
    number = probability.shape[1]
    return Labelled(
        probability,
        label,
        alone(len(label)) if unit is None else np.array(unit, dtype=object),
        NAMES[:number],
        tuple(range(number, 0, -1)),
        weight=np.ones(len(label)) if weight is None else np.array(weight, dtype=np.float64),
    )


def drawn(rng, number, share, prior, distance=1.5, power=1.0, bias=0.0):
    """Images of classes that are as frequent as `share`, and their posteriors where they are as frequent as `prior`.

    Features are normal, at a `distance` from the origin along an axis for each class. A network that is not calibrated
    multiplies its logits by `power` and adds `bias`.
    """
    label = rng.choice(len(share), number, p=share)
    feature = rng.normal(size=(number, len(share))) + distance * np.eye(len(share))[label]
    logits = power * (np.log(prior) + distance * feature) + bias
    probability = np.exp(logits - logits.max(axis=1, keepdims=True))
    return probability / probability.sum(axis=1, keepdims=True), label
