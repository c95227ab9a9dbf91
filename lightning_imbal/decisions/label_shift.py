"""How frequent classes are among images without labels, if images of a class look as they did before (label shift)."""

from collections.abc import Callable

import numpy as np

from lightning_imbal.decisions.base import Labelled, adjusted
from lightning_imbal.decisions.prevalence import class_shares

CLOSE = 1e-10  # how much a step may still change a share
MAX_STEPS = 2000


def expectation_maximisation(probability: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """The shares under which images are most likely (Saerens et al. 2002, Neural Computation 14(1), Eq. 2.9).

    Args:
        probability: Calibrated probabilities of the images, (N, C).
        prior: Class shares of the images that they are calibrated for, (C,); all above 0.

    Returns:
        The shares, (C,); they sum to one.

    Raises:
        ValueError: A share is not above 0.
    """
    if not (prior > 0).all():
        raise ValueError("Pass a prior whose shares are all above 0.")
    weight = np.full((len(probability), 1), 1 / len(probability))

    def step(share: np.ndarray) -> np.ndarray:
        return expected(probability, weight, share / prior[:, None])

    return fixed_point(step, prior[:, None] / prior.sum())[:, 0]


def expected(probability: np.ndarray, weight: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """Adds up the probabilities that are multiplied by factors of the classes and scaled to a sum of one.

    Args:
        probability: Of images, (N, C).
        weight: How often each image counts in each of R sets, (N, R).
        factor: Of each class in each set, (C, R); above 0.

    Returns:
        The sum of each class in each set, (C, R).
    """
    total = np.maximum(probability @ factor, np.finfo(np.float64).tiny)
    return factor * (probability.T @ (weight / total))


def fixed_point(step: Callable[[np.ndarray], np.ndarray], start: np.ndarray, close: float = CLOSE) -> np.ndarray:
    """Repeats a step on shares (C, R) until it changes none by more than `close`.

    Two steps tell how far to leap along them (SQUAREM; Varadhan and Roland 2008, Scand. J. Stat. 35(2), scheme S3). A
    share that would leap below 0 takes the two steps alone.
    """
    share = start
    for _ in range(MAX_STEPS):
        once = step(share)
        change = once - share
        if np.abs(change).max() < close:
            return once
        twice = step(once)
        bend = twice - once - change
        length, turn = np.linalg.norm(change, axis=0), np.linalg.norm(bend, axis=0)
        leap = np.maximum(np.divide(length, turn, out=np.ones_like(length), where=turn > 0), 1)
        share = share + 2 * leap * change + leap**2 * bend
        share = np.where(share > 0, share, twice)
        share = step(share / share.sum(axis=0))
    return share


def balanced_means(validation: Labelled) -> np.ndarray:
    """The mean probabilities of images of each class, as they would be if classes were equally frequent.

    Where the probabilities are calibrated, this is the information matrix of the shares of equally frequent classes,
    relative to what labels would tell of them; it is one less the rate at which expectation maximisation converges.

    Returns:
        The mean of each class (row) among the images of each class (column), (C, C); columns sum to one.
    """
    probability = adjusted(validation.probability, 1 / class_shares(validation))
    weight = np.eye(len(validation.class_names))[validation.label] * validation.weight[:, None]
    return probability.T @ (weight / weight.sum(axis=0))


def told_apart(given: np.ndarray) -> tuple[float, np.ndarray]:
    """How well classes are told apart, from 0 (two are taken for the same) to 1 (all right).

    Args:
        given: The share of each answer among the images of each class, (A, C); columns sum to one.

    Returns:
        The least singular value, and its direction among the classes, (C,).
    """
    _, size, direction = np.linalg.svd(given)
    return float(size[-1]), direction[-1]


def large_entries(direction: np.ndarray, class_names: tuple[str, ...]) -> list[str]:
    """The classes that a direction (C,) is about."""
    size = np.abs(direction)
    return [name for name, entry in zip(class_names, size, strict=True) if entry > size.max() / 2]
