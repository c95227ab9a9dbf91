"""The loss of the conditional questions "is the grade higher than k, if it is at least k?"."""

import torch
import torch.nn.functional as F
from torch import Tensor

from lightning_imbal.losses.base import ImbalancedLoss


class CornLoss(ImbalancedLoss):
    """CORN: binary cross-entropy of "is the grade higher than k, if it is at least k?", averaged over all questions.

    Shi et al. 2023, "Deep Neural Networks for Rank-Consistent Ordinal Regression Based on Conditional Probabilities"
    (arXiv:2111.08851). Question k is asked of the images of grade k and higher alone. The terms of an image add up to
    `-log p[y]`, of the probabilities p that the answers make: it is cross-entropy with another divisor, and what makes
    it CORN is the head `CornHead`.

    Equation:
        L = sum_i sum_{k <= y_i} BCE(f[k], 1[y_i > k]) / sum_i min(y_i + 1, C - 1)
          = sum_i (-log p[y_i]) / sum_i min(y_i + 1, C - 1)
        f[k] = P(y > k | y >= k),   k = 0 ... C - 2

    Limits:
        It needs classes with an order, from low to high, and the head `CornHead`: on other logits it is cross-entropy
        at a smaller learning rate. It knows nothing of class sizes: a high grade that is rare is asked last, by
        questions that few images have trained.

    Args:
        class_counts: Training images per class, from the lowest to the highest, shape (C,).

    Raises:
        ValueError: A class has no training image.

    Example:
        >>> logits = torch.tensor([[0.5, 0.25, 0.25]]).log()
        >>> loss = CornLoss(torch.tensor([60, 30, 10]))
        >>> [round(loss(logits, torch.tensor([label])).item(), 3) for label in range(3)]  # of 1, 2 and 2 questions
        [0.693, 0.693, 0.693]
    """

    needs_order = True

    def forward(self, logits: Tensor, label: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        """Returns the loss, shape (), of logits (B, C), labels (B,) and optional sample weights (B,)."""
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
        term = F.cross_entropy(logits, label, reduction="none")
        if sample_weight is not None:
            term = term * sample_weight
        return term.sum() / (label + 1).clamp(max=logits.shape[1] - 1).sum()
