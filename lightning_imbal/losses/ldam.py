"""Cross-entropy with a larger margin for rarer classes."""

import torch
import torch.nn.functional as F
from torch import Tensor

from lightning_imbal.losses.base import ImbalancedLoss


class LDAM(ImbalancedLoss):
    """Label-distribution-aware margin loss: the score of the label must win by a margin that grows with rarity.

    Cao et al. 2019, "Learning Imbalanced Datasets with Label-Distribution-Aware Margin Loss", Section 3.2, averaged
    over the batch. The margin of a class is proportional to `n_c ** -1/4` and subtracted from the cosine of the label.

    Equation:
        L = mean_i -log softmax(z - scale m[y_i] e[y_i])[y_i]
        z = scale cos(f, w);   e[c]: 1 for class c, else 0
        m[c] = max_margin (n_min / n_c)^(1/4);   n_min: the smallest n_c

    Limits:
        It needs the cosine head `NormedLinear` with the same scale: on other logits the margin has no unit.

    Args:
        class_counts: Training images per class, shape (C,).
        max_margin: Margin of the rarest class, in units of the cosine.
        scale: Factor that the logits, cosines times a scale, already have: that of the head `NormedLinear`.

    Raises:
        ValueError: A class has no training image, `max_margin` is negative or `scale` is not positive.

    Example:
        >>> loss = LDAM(torch.tensor([81, 16, 1]))
        >>> [round(margin, 3) for margin in loss.margin.tolist()]
        [0.167, 0.25, 0.5]
        >>> cosine = torch.tensor([[0.9, 0.5, 0.5], [0.5, 0.5, 0.9]])  # both images are right by 0.4
        >>> [round(loss(30 * cosine[i : i + 1], torch.tensor([2 * i])).item(), 3) for i in (0, 1)]
        [0.002, 3.718]
    """

    margin: Tensor

    def __init__(self, class_counts: Tensor, max_margin: float = 0.5, scale: float = 30.0) -> None:
        super().__init__(class_counts)
        if not max_margin >= 0:
            raise ValueError(f"max_margin must not be negative, but is {max_margin}.")
        if not scale > 0:
            raise ValueError(f"scale must be positive, but is {scale}.")
        self.register_buffer("margin", max_margin * (self.class_counts.min() / self.class_counts) ** 0.25)
        self.scale = scale

    def forward(self, logits: Tensor, label: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        """Returns the loss, shape (), of scaled cosines (B, C), labels (B,) and optional sample weights (B,)."""
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
        shift = F.one_hot(label, logits.shape[1]) * (self.scale * self.margin).to(logits.dtype)
        term = F.cross_entropy(logits - shift, label, reduction="none")
        if sample_weight is not None:
            term = term * sample_weight
        return term.mean()
