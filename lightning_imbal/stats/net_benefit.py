"""What it is worth to act on the probability of a class (decision curves)."""

import numpy as np

from lightning_imbal.errors import UserError
from lightning_imbal.runs.predictions import Predictions


def net_benefit(predictions: Predictions, c: int, thresholds: np.ndarray) -> np.ndarray:
    """Net benefit of treating every image with at least a threshold probability of a class.

    That is (TP - FP * t / (1 - t)) / N: whoever treats from a probability t on holds a missed image of the class
    (1 - t) / t times as bad as a needless treatment (Vickers and Elkin 2006, Med. Decis. Making 26, 565-574). To treat
    nobody has 0.

    Args:
        predictions: Of N images.
        c: The class.
        thresholds: Probabilities t, (T,).

    Returns:
        (T,), in images of the class found per image, if none were treated needlessly.

    Raises:
        UserError: A threshold is not in [0, 1).
    """
    found, needless = (
        len(of_class) - np.searchsorted(np.sort(of_class), thresholds, side="left")
        for of_class in (predictions.probability[positive, c] for positive in _sides(predictions, c))
    )
    return (found - needless * _odds(thresholds)) / len(predictions.label)


def treat_all(predictions: Predictions, c: int, thresholds: np.ndarray) -> np.ndarray:
    """Net benefit of treating every image: what a network must exceed, as it must exceed 0.

    Args:
        predictions: Of N images.
        c: The class.
        thresholds: Probabilities t, (T,).

    Raises:
        UserError: A threshold is not in [0, 1).
    """
    found, needless = (positive.mean() for positive in _sides(predictions, c))
    return np.asarray(found - needless * _odds(thresholds))


def _sides(predictions: Predictions, c: int) -> tuple[np.ndarray, np.ndarray]:
    """Which images are of the class, and which are not."""
    return predictions.label == c, predictions.label != c


def _odds(thresholds: np.ndarray) -> np.ndarray:
    if not ((thresholds >= 0) & (thresholds < 1)).all():
        raise UserError("A threshold probability is not between 0 and 1, without 1: give others, such as 0.05 to 0.5.")
    return thresholds / (1 - thresholds)
