"""Cross-entropy with labels that are softened towards near grades."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from lightning_imbal.losses.base import ImbalancedLoss


class SORD(ImbalancedLoss):
    """SORD: cross-entropy with a soft label, the larger the nearer a grade is to the true one.

    Diaz and Marathe 2019, "Soft Labels for Ordinal Regression", averaged over the batch.

    Equation:
        L = mean_i sum_c q[y_i, c] (-log p[c])
        q[y, c] = exp(-scale |y - c|^a) / sum_k exp(-scale |y - k|^a)
        a = 1 (absolute) or 2 (squared)

    Limits:
        It needs classes with an order, from low to high. As the target of an image is never certain, probabilities are
        less sure than the network could be: calibrate them before you set thresholds. It knows nothing of class sizes.

    Args:
        class_counts: Training images per class, from the lowest to the highest, shape (C,).
        distance: Of two grades: "absolute" or "squared".
        scale: Factor of the distance; the larger it is, the nearer to cross-entropy.

    Raises:
        ValueError: A class has no training image, `distance` is not one of those above or `scale` is not positive.

    Example:
        >>> loss = SORD(torch.tensor([60, 30, 10]))
        >>> [round(share, 3) for share in loss.soft_label[0].tolist()]
        [0.721, 0.265, 0.013]
    """

    soft_label: Tensor

    needs_order = True

    def __init__(
        self, class_counts: Tensor, distance: Literal["absolute", "squared"] = "squared", scale: float = 1.0
    ) -> None:
        super().__init__(class_counts)
        if distance not in ("absolute", "squared"):
            raise ValueError(f"distance must be absolute or squared, but is {distance!r}.")
        if not scale > 0:
            raise ValueError(f"scale must be positive, but is {scale}.")
        grade = torch.arange(len(self.class_counts), dtype=torch.float64)
        between = (grade[:, None] - grade).abs()
        self.register_buffer("soft_label", (-scale * (between if distance == "absolute" else between**2)).softmax(1))

    def forward(self, logits: Tensor, label: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        """Returns the loss, shape (), of logits (B, C), labels (B,) and optional sample weights (B,)."""
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
        term = F.cross_entropy(logits, self.soft_label.to(logits.dtype)[label], reduction="none")
        if sample_weight is not None:
            term = term * sample_weight
        return term.mean()
