"""Cross-entropy, plain or weighted by class."""

from functools import partial
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from lightning_imbal.losses.base import ImbalancedLoss
from lightning_imbal.losses.weights import effective_number_weights, inverse_frequency_weights


class CrossEntropy(ImbalancedLoss):
    """Softmax cross-entropy, plain or weighted by class.

    Equation:
        L = sum_i w[y_i] (-log p[y_i]) / sum_i w[y_i]   (weighted_mean)
        L = mean_i w[y_i] (-log p[y_i])                 (batch_mean)
        w[c] = 1 (none), n_c^-power (inverse), (1 - beta) / (1 - beta^n_c)
        (effective), scaled to sum to C
        with label_smoothing a, in place of w[y_i] (-log p[y_i]):
        (1 - a) w[y_i] (-log p[y_i]) + a mean_c w[c] (-log p[c])

    Limits:
        Plain, it favours large classes: a rare one may never be answered. With weights, few images of
        a rare class drive the training: it may be answered too often, and accuracy usually falls.

    Args:
        class_counts: Training images per class, shape (C,).
        weight: "none", "inverse" (`n_c ** -power`) or "effective" (Cui et al. 2019). Weights sum to C.
        power: Exponent of the inverse frequency.
        beta: Parameter of the effective number.
        reduction: The sum of the weighted terms is divided by the weights of the batch's labels ("weighted_mean", as
            `torch.nn.functional.cross_entropy` does) or by the number of samples ("batch_mean").
        label_smoothing: Share of the target that is spread evenly over all classes; each class's part of it has that
            class's weight, as in `torch.nn.functional.cross_entropy`.

    Raises:
        ValueError: A class has no training image, `weight`, `beta` or `reduction` is not one of those above, or
            `label_smoothing` is outside [0, 1].

    Example:
        >>> loss = CrossEntropy(torch.tensor([90, 10]), weight="inverse")
        >>> [round(weight, 3) for weight in loss.class_weight.tolist()]
        [0.2, 1.8]
        >>> logits, label = torch.tensor([[2.0, 0.0], [0.0, 0.0]]), torch.tensor([0, 1])
        >>> [round(CrossEntropy(loss.class_counts)(logits, label).item(), 3), round(loss(logits, label).item(), 3)]
        [0.41, 0.637]
    """

    class_weight: Tensor

    def __init__(
        self,
        class_counts: Tensor,
        weight: Literal["none", "inverse", "effective"] = "none",
        power: float = 1.0,
        beta: float = 0.9999,
        reduction: Literal["weighted_mean", "batch_mean"] = "weighted_mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(class_counts)
        match weight:
            case "none":
                class_weight = torch.ones_like(self.class_counts)
            case "inverse":
                class_weight = inverse_frequency_weights(self.class_counts, power)
            case "effective":
                class_weight = effective_number_weights(self.class_counts, beta)
            case _:
                raise ValueError(f"weight must be none, inverse or effective, but is {weight!r}.")
        if reduction not in ("weighted_mean", "batch_mean"):
            raise ValueError(f"reduction must be weighted_mean or batch_mean, but is {reduction!r}.")
        if not 0 <= label_smoothing <= 1:
            raise ValueError(f"label_smoothing must lie between 0 and 1, but is {label_smoothing}.")
        self.register_buffer("class_weight", class_weight)
        self.reduction = reduction
        self.label_smoothing = label_smoothing

    def forward(self, logits: Tensor, label: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        """Returns the loss, shape (), of logits (B, C), labels (B,) and optional sample weights (B,)."""
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
        class_weight = self.class_weight.to(logits.dtype)
        cross_entropy = partial(F.cross_entropy, weight=class_weight, label_smoothing=self.label_smoothing)
        if sample_weight is None and self.reduction == "weighted_mean":
            return cross_entropy(logits, label)
        term = cross_entropy(logits, label, reduction="none")
        if sample_weight is not None:
            term = term * sample_weight
        divisor = class_weight[label].sum() if self.reduction == "weighted_mean" else len(label)
        return term.sum() / divisor
