"""How far probabilities are from what comes true."""

import torch
from torch import Tensor

NUM_BINS = 15


def expected_calibration_error(confidence: Tensor, correct: Tensor) -> Tensor:
    """How far the confidence is from the accuracy (Guo et al. 2017, arXiv:1706.04599, eq. 3), in 15 bins.

    Args:
        confidence: Probability of the predicted class, (N,).
        correct: Whether it is the true one, (N,).
    """
    # The function of torchmetrics 1.9 puts a confidence of exactly 1 into a sixteenth bin; here the last bin is closed.
    gap = torch.bincount(_bin_of(confidence), weights=confidence - correct.double(), minlength=NUM_BINS)
    return gap.abs().sum() / len(confidence)


def class_calibration_error(probability: Tensor, label: Tensor) -> Tensor:
    """How far the probability of each class is from how often it comes true, over all images, in the same bins.

    Their mean is the class-wise expected calibration error (Kull et al. 2019, arXiv:1910.12656, eq. 3), or static
    calibration error (Nixon et al. 2019, arXiv:1904.01685, eq. 3).

    Args:
        probability: (N, C) float64.
        label: True classes, (N,).

    Returns:
        The error of each class, (C,).
    """
    num_classes = probability.shape[1]
    place = _bin_of(probability) + NUM_BINS * torch.arange(num_classes)
    gap = torch.bincount(place.ravel(), weights=_excess(probability, label).ravel(), minlength=NUM_BINS * num_classes)
    return gap.view(num_classes, NUM_BINS).abs().sum(dim=1) / len(label)


def brier_score(probability: Tensor, label: Tensor) -> Tensor:
    """Squared error of the probabilities, summed over the classes (Brier 1950, eq. 2): 0 to 2.

    Half of it, of two classes, is what is often called the Brier score of the second one.

    Args:
        probability: (N, C) float64.
        label: True classes, (N,).
    """
    return _excess(probability, label).square().sum(dim=1).mean()


def log_loss(probability: Tensor, label: Tensor) -> Tensor:
    """Mean of -log of the probability of the true class.

    Probabilities are clipped to [eps, 1 - eps] with the eps of their float64, as scikit-learn does: at most 36.04.

    Args:
        probability: (N, C) float64.
        label: True classes, (N,).
    """
    eps = torch.finfo(torch.float64).eps
    of_truth = probability.gather(1, label[:, None])
    return -of_truth.clamp(eps, 1 - eps).log().mean()


def _bin_of(probability: Tensor) -> Tensor:
    return (probability * NUM_BINS).long().clamp(max=NUM_BINS - 1)


def _excess(probability: Tensor, label: Tensor) -> Tensor:
    """Probability less truth, (N, C)."""
    return probability.scatter_add(1, label[:, None], -torch.ones_like(probability[:, :1]))
