"""Focal loss, plain and class-balanced."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from lightning_imbal.losses.base import ImbalancedLoss
from lightning_imbal.losses.weights import effective_number_weights


def binary_focal_parts(logits: Tensor, label: Tensor, gamma: float) -> tuple[Tensor, Tensor]:
    """The two factors of the focal loss that takes each class for a yes-or-no question.

    Args:
        logits: Scores, shape (B, C).
        label: Class labels, shape (B,).
        gamma: Focusing exponent.

    Returns:
        The modulator `(1 - p) ** gamma` and the binary cross-entropy `-log p`, both of shape (B, C), where p is the
        probability (sigmoid) of the right answer.
    """
    is_label = F.one_hot(label, logits.shape[1]).bool()
    toward_right = torch.where(is_label, logits, -logits)
    return torch.exp(gamma * F.logsigmoid(-toward_right)), -F.logsigmoid(toward_right)


class Focal(ImbalancedLoss):
    """Focal loss: a cross-entropy in which well classified samples count less.

    Lin et al. 2017, "Focal Loss for Dense Object Detection", Eq. 4, averaged over the batch.

    Equation:
        L = mean_i (1 - p[y_i])^gamma (-log p[y_i])

    Limits:
        It knows nothing of class sizes: it turns to images that are hard, and wrongly labelled ones are. Its
        probabilities are mostly less sure than those of cross-entropy: calibrate them before you set thresholds.

    Args:
        class_counts: Training images per class, shape (C,).
        gamma: Focusing exponent; 0 gives the cross-entropy.
        form: "softmax" takes the probability of the label; "sigmoid", the paper's, sums a binary term over all classes.

    Raises:
        ValueError: A class has no training image, `gamma` is negative or `form` is not one of those above.
    """

    def __init__(
        self, class_counts: Tensor, gamma: float = 2.0, form: Literal["softmax", "sigmoid"] = "softmax"
    ) -> None:
        super().__init__(class_counts)
        if not gamma >= 0:
            raise ValueError(f"gamma must not be negative, but is {gamma}.")
        if form not in ("softmax", "sigmoid"):
            raise ValueError(f"form must be softmax or sigmoid, but is {form!r}.")
        self.gamma, self.form = gamma, form

    def forward(self, logits: Tensor, label: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        """Returns the loss, shape (), of logits (B, C), labels (B,) and optional sample weights (B,)."""
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
        if self.form == "softmax":
            cross_entropy = F.cross_entropy(logits, label, reduction="none")
            # A power below 1 has an infinite slope at 0, where the label's probability rounds to 1.
            modulator = (-torch.expm1(-cross_entropy)).clamp(min=1e-12) ** self.gamma
            term = modulator * cross_entropy
        else:
            modulator, cross_entropy = binary_focal_parts(logits, label, self.gamma)
            term = (modulator * cross_entropy).sum(dim=1)
        if sample_weight is not None:
            term = term * sample_weight
        return term.mean()


class ClassBalancedFocal(Focal):
    """Focal loss times the effective-number weight of the label.

    Cui et al. 2019, "Class-Balanced Loss Based on Effective Number of Samples", class-balanced focal loss. The sum of
    the weighted terms is divided by the number of samples.

    Equation:
        L = mean_i w[y_i] sum_c (1 - q[c])^gamma (-log q[c])
        q[c] = sigmoid(z[c]) for the label, 1 - sigmoid(z[c]) for any other class
        w[c] = (1 - beta) / (1 - beta^n_c), scaled to sum to C

    Limits:
        With `beta` 0.9999 the weights of classes below 1,000 images are nearly 1 / n_c. Its values are not those of a
        cross-entropy: a learning rate that suits one need not suit the other.

    Args:
        class_counts: Training images per class, shape (C,).
        beta: Parameter of the effective number; weights sum to C.
        gamma: Focusing exponent.
        form: As for `Focal`.

    Raises:
        ValueError: As for `Focal`, or `beta` is outside [0, 1].
    """

    class_weight: Tensor

    def __init__(
        self,
        class_counts: Tensor,
        beta: float = 0.9999,
        gamma: float = 2.0,
        form: Literal["softmax", "sigmoid"] = "sigmoid",
    ) -> None:
        super().__init__(class_counts, gamma, form)
        self.register_buffer("class_weight", effective_number_weights(self.class_counts, beta))

    def forward(self, logits: Tensor, label: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        """Returns the loss, shape (), of logits (B, C), labels (B,) and optional sample weights (B,)."""
        label_weight = self.class_weight.to(torch.promote_types(logits.dtype, torch.float32))[label]
        return super().forward(logits, label, label_weight if sample_weight is None else label_weight * sample_weight)
