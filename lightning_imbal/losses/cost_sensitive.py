"""Cross-entropy and the squared distance that is expected between the answered and the true grade."""

import torch
import torch.nn.functional as F
from torch import Tensor

from lightning_imbal.losses.base import ImbalancedLoss


class CostSensitive(ImbalancedLoss):
    """Cost-sensitive regularisation: cross-entropy, and what the probabilities of far grades cost.

    Galdran et al. 2020, "Cost-Sensitive Regularization for Diabetic Retinopathy Grading from Eye Fundus Images"
    (arXiv:2010.00291), averaged over the batch. The cost is that of the authors' code: 1 for the first grade in the
    place of the last.

    Equation:
        L = mean_i (-log p[y_i] + cost_weight sum_c M[y_i, c] p[c])
        M[y, c] = (y - c)^2 / (C - 1)^2

    Limits:
        It needs classes with an order, from low to high. The cost draws answers to the middle grades, which are never
        far off. It knows nothing of class sizes.

    Args:
        class_counts: Training images per class, from the lowest to the highest, shape (C,).
        cost_weight: Factor of the expected cost; 0 gives the cross-entropy.

    Raises:
        ValueError: A class has no training image, or `cost_weight` is negative.

    Example:
        >>> loss = CostSensitive(torch.tensor([60, 30, 10]), cost_weight=1.0)
        >>> logits = torch.tensor([[0.5, 0.25, 0.25]]).log()
        >>> [round(loss(logits, torch.tensor([label])).item(), 3) for label in range(3)]
        [1.006, 1.574, 1.949]
    """

    cost: Tensor

    needs_order = True

    def __init__(self, class_counts: Tensor, cost_weight: float = 10.0) -> None:
        super().__init__(class_counts)
        if not cost_weight >= 0:
            raise ValueError(f"cost_weight must not be negative, but is {cost_weight}.")
        grade = torch.arange(len(self.class_counts), dtype=torch.float64)
        squared = (grade[:, None] - grade) ** 2
        self.register_buffer("cost", squared / squared.max())
        self.cost_weight = cost_weight

    def forward(self, logits: Tensor, label: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        """Returns the loss, shape (), of logits (B, C), labels (B,) and optional sample weights (B,)."""
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
        expected_cost = (self.cost.to(logits.dtype)[label] * logits.softmax(dim=1)).sum(dim=1)
        term = F.cross_entropy(logits, label, reduction="none") + self.cost_weight * expected_cost
        if sample_weight is not None:
            term = term * sample_weight
        return term.mean()
