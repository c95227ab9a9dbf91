"""Multi-weighted new loss."""

import math
from typing import Literal

import torch
from torch import Tensor

from lightning_imbal.losses.base import ImbalancedLoss
from lightning_imbal.losses.checks import checked_epochs
from lightning_imbal.losses.focal import binary_focal_parts
from lightning_imbal.losses.weights import inverse_frequency_weights


class MWNL(ImbalancedLoss):
    """Multi-weighted new loss: a sigmoid focal loss with class weights that grow over the epochs and clipped outliers.

    Yao et al. 2022, "Single Model Deep Learning on Imbalanced Small Datasets for Skin Lesion Classification", with the
    settings of the released code for ISIC. Every sample has the weight of its label, `n_c ** -exponent` scaled to sum
    to C. The exponent is 0 until the fraction `start` of the epochs, then grows with the square of the progress to
    `weight_power` at the fraction `full` and stays (the paper's cumulative learning strategy); before the first
    `set_epoch` it is `weight_power`.

    Equation:
        L = 30 mean_i mean_c w[y_i] l[c]
        l[c] = (1 - q[c])^gamma min(-log q[c], -log beta)
        q[c] = sigmoid(z[c]) for the label, 1 - sigmoid(z[c]) for any other class
        w[c] = n_c^-e, scaled to sum to C
        e = weight_power s^2;   s: 0 until the share `start` of the epochs, then
        evenly up to 1 at `full`

    Limits:
        Images that the network finds improbable count as outliers, from which it hardly learns: an image of a rare
        class may be one. Weights are complete in the last seventh of the epochs only, which are few in a short run.

    Args:
        class_counts: Training images per class, shape (C,).
        gamma: Focusing exponent.
        weight_power: Last exponent of the class weights.
        beta: Probability below which a binary term counts as an outlier, that is when its cross-entropy exceeds
            `-log(beta)`; 0 clips nothing.
        clip: The cross-entropy of an outlier becomes constant, `-log(beta)` ("fix"), becomes 0 ("zero"), or falls from
            `-log(beta)` in proportion to the probability ("decrease"). The focal factor is never clipped.
        reduction: 30 times the mean over samples and classes ("enlarge"), or the sum divided by the weights of all
            samples and classes ("normal").
        start: Fraction of the epochs with equal weights.
        full: Fraction of the epochs from which on the weights are complete.

    Raises:
        ValueError: A class has no training image, or an argument is outside the range or list above.
    """

    class_weight: Tensor

    def __init__(
        self,
        class_counts: Tensor,
        gamma: float = 2.0,
        weight_power: float = 1.2,
        beta: float = 0.1,
        clip: Literal["fix", "zero", "decrease"] = "fix",
        reduction: Literal["enlarge", "normal"] = "enlarge",
        start: float = 2 / 7,
        full: float = 6 / 7,
    ) -> None:
        super().__init__(class_counts)
        if not gamma >= 0:
            raise ValueError(f"gamma must not be negative, but is {gamma}.")
        if not weight_power >= 0:
            raise ValueError(f"weight_power must not be negative, but is {weight_power}.")
        if not 0 <= beta < 1:
            raise ValueError(f"beta must be at least 0 and below 1, but is {beta}.")
        if clip not in ("fix", "zero", "decrease"):
            raise ValueError(f"clip must be fix, zero or decrease, but is {clip!r}.")
        if reduction not in ("enlarge", "normal"):
            raise ValueError(f"reduction must be enlarge or normal, but is {reduction!r}.")
        if not 0 <= start < full <= 1:
            raise ValueError(f"start and full must satisfy 0 <= start < full <= 1, but are {start} and {full}.")
        self.gamma, self.weight_power, self.beta = gamma, weight_power, beta
        self.clip, self.reduction = clip, reduction
        self.start, self.full = start, full
        class_weight = inverse_frequency_weights(self.class_counts, weight_power)
        self.register_buffer("class_weight", class_weight, persistent=False)

    def set_epoch(self, epoch: int, max_epochs: int) -> None:
        """Sets the class weights of `epoch` (1-based) of `max_epochs`; ValueError if `max_epochs` is not positive."""
        progress = (epoch / checked_epochs(max_epochs, "MWNL") - self.start) / (self.full - self.start)
        exponent = self.weight_power * min(max(progress, 0.0), 1.0) ** 2
        self.class_weight = inverse_frequency_weights(self.class_counts, exponent)

    def forward(self, logits: Tensor, label: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        """Returns the loss, shape (), of logits (B, C), labels (B,) and optional sample weights (B,)."""
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
        modulator, cross_entropy = binary_focal_parts(logits, label, self.gamma)
        label_weight = self.class_weight.to(logits.dtype)[label]
        term = label_weight * (modulator * self._clipped(cross_entropy)).sum(dim=1)
        if sample_weight is not None:
            term = term * sample_weight
        if self.reduction == "enlarge":
            return 30 * term.sum() / logits.numel()
        return term.sum() / (logits.shape[1] * label_weight.sum())

    def _clipped(self, cross_entropy: Tensor) -> Tensor:
        if self.beta == 0:
            return cross_entropy
        threshold = -math.log(self.beta)
        match self.clip:
            case "fix":
                return cross_entropy.clamp(max=threshold)
            case "zero":
                return cross_entropy.masked_fill(cross_entropy > threshold, 0)
            case "decrease":
                decreasing = torch.exp(-cross_entropy) * (threshold / self.beta)
                return torch.where(cross_entropy > threshold, decreasing, cross_entropy)
