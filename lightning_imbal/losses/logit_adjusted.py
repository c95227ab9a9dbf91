"""Cross-entropy on logits shifted by the class prior."""

import torch
import torch.nn.functional as F
from torch import Tensor

from lightning_imbal.losses.base import ImbalancedLoss


class LogitAdjusted(ImbalancedLoss):
    """Logit-adjusted cross-entropy: the prior is added in training, so the network learns scores without it.

    Menon et al. 2021, "Long-Tail Learning via Logit Adjustment", Eq. 10, averaged over the batch. At inference the
    logits are used as they are.

    Equation:
        L = mean_i -log softmax(z')[y_i],   z'[c] = z[c] + tau log(n_c / N)

    Limits:
        It aims at balanced accuracy: accuracy usually falls where the classes are as unequal in use as in training.
        Logits must not be adjusted again, by `PostHocAdjusted` or by the rule `PriorAdjusted`.

    Args:
        class_counts: Training images per class, shape (C,).
        tau: Factor of the log prior; 0 gives the cross-entropy.

    Raises:
        ValueError: A class has no training image, or `tau` is negative.
    """

    log_prior: Tensor

    adjusts_logits = True

    def __init__(self, class_counts: Tensor, tau: float = 1.0) -> None:
        super().__init__(class_counts)
        if not tau >= 0:
            raise ValueError(f"tau must not be negative, but is {tau}.")
        self.register_buffer("log_prior", (self.class_counts / self.class_counts.sum()).log())
        self.tau = tau

    def forward(self, logits: Tensor, label: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        """Returns the loss, shape (), of logits (B, C), labels (B,) and optional sample weights (B,)."""
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
        term = F.cross_entropy(logits + self.tau * self.log_prior.to(logits.dtype), label, reduction="none")
        if sample_weight is not None:
            term = term * sample_weight
        return term.mean()
