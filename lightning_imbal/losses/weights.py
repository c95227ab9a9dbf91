"""Class weights from class sizes."""

import torch
from torch import Tensor


def inverse_frequency_weights(class_counts: Tensor, power: float = 1.0) -> Tensor:
    """Class weights proportional to `n_c ** -power`, scaled to sum to the number of classes.

    Args:
        class_counts: Training images per class, all positive, shape (C,).
        power: 0 gives ones, 0.5 the inverse square root, 1 the inverse frequency.

    Returns:
        Weights in float64, shape (C,).
    """
    return _sum_to_length(class_counts.to(torch.float64).pow(-power))


def effective_number_weights(class_counts: Tensor, beta: float) -> Tensor:
    """Class weights `(1 - beta) / (1 - beta ** n_c)`, scaled to sum to the number of classes.

    The inverse of the effective number of samples, Cui et al. 2019, "Class-Balanced Loss Based on Effective Number of
    Samples", Proposition 1.

    Args:
        class_counts: Training images per class, all positive, shape (C,).
        beta: From 0, which gives ones, to 1, which gives the limit 1 / n_c.

    Returns:
        Weights in float64, shape (C,).

    Raises:
        ValueError: `beta` is outside [0, 1].

    Example:
        >>> [round(weight, 2) for weight in effective_number_weights(torch.tensor([600, 60, 6]), beta=0.99).tolist()]
        [0.15, 0.33, 2.53]
    """
    if not 0 <= beta <= 1:
        raise ValueError(f"beta must lie between 0 and 1, but is {beta}.")
    if beta == 1:
        return inverse_frequency_weights(class_counts)
    counts = class_counts.to(torch.float64)
    # 1 - beta ** n cancels for beta near 1; the numerator 1 - beta disappears in the scaling.
    return _sum_to_length(-1 / torch.expm1(counts * torch.log(counts.new_tensor(beta))))


def _sum_to_length(weights: Tensor) -> Tensor:
    return weights * (len(weights) / weights.sum())
