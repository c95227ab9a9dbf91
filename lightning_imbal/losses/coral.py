"""The sum of the yes-or-no losses "is the grade higher than k?"."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from lightning_imbal.losses.base import ImbalancedLoss


class CoralLoss(ImbalancedLoss):
    """CORAL: binary cross-entropy of "is the grade higher than k?", summed over all grades k but the last.

    Cao et al. 2020, "Rank Consistent Ordinal Regression for Neural Networks with Application to Age Estimation"
    (arXiv:1901.07884), averaged over the batch. The probability of a higher grade is the sum of those of the higher
    classes, so that any logits will do; with `CoralHead` it is the paper's.

    Equation:
        L = mean_i sum_k w[k] BCE(P(y > k), 1[y_i > k]),   k = 0 ... C - 2
        P(y > k) = sum of p[c] over c > k
        w[k] = 1 (uniform), sqrt(M[k] / max M) (imbalance),
        M[k] = max(images above k, images up to k)

    Limits:
        It needs classes with an order, from low to high. It knows nothing of class sizes: a rare grade between two
        common ones may never be answered. Far errors cost more than near ones, so that near ones may be more.

    Args:
        class_counts: Training images per class, from the lowest to the highest, shape (C,).
        importance: Of the questions: all alike ("uniform"), or by how many training images are on the larger side, as
            the authors' code can ("imbalance").

    Raises:
        ValueError: A class has no training image, or `importance` is not one of those above.

    Example:
        >>> logits = torch.tensor([[0.5, 0.25, 0.25]]).log()
        >>> loss = CoralLoss(torch.tensor([60, 30, 10]))
        >>> [round(loss(logits, torch.tensor([label])).item(), 3) for label in range(3)]
        [0.981, 0.981, 2.079]
    """

    task_weight: Tensor

    needs_order = True

    def __init__(self, class_counts: Tensor, importance: Literal["uniform", "imbalance"] = "uniform") -> None:
        super().__init__(class_counts)
        if importance not in ("uniform", "imbalance"):
            raise ValueError(f"importance must be uniform or imbalance, but is {importance!r}.")
        up_to = self.class_counts.cumsum(0)[:-1]
        larger = torch.maximum(up_to, self.class_counts.sum() - up_to)
        weight = (larger / larger.max()).sqrt() if importance == "imbalance" else torch.ones_like(larger)
        self.register_buffer("task_weight", weight)

    def forward(self, logits: Tensor, label: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        """Returns the loss, shape (), of logits (B, C), labels (B,) and optional sample weights (B,)."""
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
        grade = torch.arange(logits.shape[1], device=logits.device)
        above = grade > grade[:-1, None]  # (C - 1, C)
        log_p = F.log_softmax(logits, dim=1)[:, None]
        log_higher = log_p.masked_fill(~above, -torch.inf).logsumexp(dim=2)  # (B, C - 1)
        log_not = log_p.masked_fill(above, -torch.inf).logsumexp(dim=2)
        answered = torch.where(label[:, None] > grade[:-1], log_higher, log_not)
        term = -(answered * self.task_weight.to(logits.dtype)).sum(dim=1)
        if sample_weight is not None:
            term = term * sample_weight
        return term.mean()
