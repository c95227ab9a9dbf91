"""How far probabilities are from what comes true."""

import numpy as np
import torch
from torch import Tensor

from lightning_imbal.metrics.ranking import AT_ONCE

NUM_BINS = 15


def expected_calibration_error(confidence: np.ndarray, correct: np.ndarray) -> float:
    """How far the confidence is from the accuracy (Guo et al. 2017, arXiv:1706.04599, eq. 3), in 15 bins.

    Args:
        confidence: Probability of the predicted class, (N,).
        correct: Whether it is the true one, (N,).
    """
    # The function of torchmetrics 1.9 puts a confidence of exactly 1 into a sixteenth bin; here the last bin is closed.
    gap = np.bincount(_bin_of(confidence), weights=confidence.astype(np.float64) - correct)
    return float(np.abs(gap).sum() / len(confidence))


def class_calibration_error(every: np.ndarray, own: np.ndarray) -> float:
    """How far the probability of a class is from how often it comes true, over all images, in the same bins.

    The mean over the classes is the class-wise expected calibration error (Kull et al. 2019, arXiv:1910.12656, eq. 3),
    or static calibration error (Nixon et al. 2019, arXiv:1904.01685, eq. 3).

    Args:
        every: The probability of all images, rising, (N,).
        own: That of the images of the class, rising, (P,).
    """
    first, first_own = (np.searchsorted(_bin_of(each), np.arange(NUM_BINS)) for each in (every, own))
    total = np.array([each.sum(dtype=np.float64) for each in np.split(every, first[1:])])
    return float(np.abs(total - np.diff(first_own, append=len(own))).sum() / len(every))


def brier_score(probability: Tensor, label: Tensor) -> Tensor:
    """Squared error of the probabilities, summed over the classes (Brier 1950, eq. 2): 0 to 2.

    Half of it, of two classes, is what is often called the Brier score of the second one.

    Args:
        probability: (N, C).
        label: True classes, (N,).
    """
    at_once = max(1, AT_ONCE // probability.shape[1])
    parts = zip(probability.split(at_once), label.split(at_once), strict=True)
    return torch.cat([_excess(part.double(), true).square().sum(dim=1) for part, true in parts]).mean()


def log_loss(probability: Tensor, label: Tensor) -> Tensor:
    """Mean of -log of the probability of the true class.

    Probabilities are clipped to [eps, 1 - eps] with the eps of their float64, as scikit-learn does: at most 36.04.

    Args:
        probability: (N, C).
        label: True classes, (N,).
    """
    eps = torch.finfo(torch.float64).eps
    of_truth = probability.gather(1, label[:, None]).double()
    return -of_truth.clamp(eps, 1 - eps).log().mean()


def _bin_of(probability: np.ndarray) -> np.ndarray:
    return (probability.astype(np.float64) * NUM_BINS).astype(np.int64).clip(max=NUM_BINS - 1)


def _excess(probability: Tensor, label: Tensor) -> Tensor:
    """Probability less truth, (N, C)."""
    return probability.scatter_add(1, label[:, None], -torch.ones_like(probability[:, :1]))
