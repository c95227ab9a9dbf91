"""Cross-entropy of the hardest samples."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from lightning_imbal.losses.base import ImbalancedLoss


class OHEM(ImbalancedLoss):
    """Online hard example mining: the mean cross-entropy of the hardest samples of the batch.

    After Shrivastava et al. 2016, "Training Region-based Object Detectors with Online Hard Example Mining", with images
    in place of regions. Of B samples the `ceil(keep_ratio * B)` with the largest terms count.

    Equation:
        L = mean of the ceil(keep_ratio B) largest -log p[y_i] of a batch of B

    Limits:
        It knows nothing of class sizes, and keeps wrongly labelled images, which are often among the hardest.

    Args:
        class_counts: Training images per class, shape (C,).
        keep_ratio: Share of the batch that is kept; 1 gives the cross-entropy.
        min_kept: Samples that are kept at least, as far as the batch has them.

    Raises:
        ValueError: A class has no training image, `keep_ratio` is outside [0, 1] or `min_kept` is below 1.
    """

    def __init__(self, class_counts: Tensor, keep_ratio: float = 0.7, min_kept: int = 1) -> None:
        super().__init__(class_counts)
        if not 0 <= keep_ratio <= 1:
            raise ValueError(f"keep_ratio must lie between 0 and 1, but is {keep_ratio}.")
        if min_kept < 1:
            raise ValueError(f"min_kept must be at least 1, but is {min_kept}.")
        self.keep_ratio, self.min_kept = keep_ratio, min_kept

    def forward(self, logits: Tensor, label: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        """Returns the loss, shape (), of logits (B, C), labels (B,) and optional sample weights (B,).

        Sample weights scale the terms before the hardest are chosen; the divisor is the number of kept samples.
        """
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
        term = F.cross_entropy(logits, label, reduction="none")
        if sample_weight is not None:
            term = term * sample_weight
        # The slack undoes rounding: 0.07 * 100 is a little above 7.
        kept = max(math.ceil(self.keep_ratio * len(term) - 1e-9), self.min_kept)
        return term.topk(min(kept, len(term))).values.mean()
