"""Re-weighting that starts late in training."""

import torch
from torch import Tensor

from lightning_imbal.losses.base import ImbalancedLoss, LossFactory
from lightning_imbal.losses.checks import checked_epochs
from lightning_imbal.losses.of_others import refusal_of_weights
from lightning_imbal.losses.weights import effective_number_weights


class Deferred(ImbalancedLoss):
    """Deferred re-weighting (DRW): a loss that is plain at first and weighted by class in the last epochs.

    Cao et al. 2019, "Learning Imbalanced Datasets with Label-Distribution-Aware Margin Loss", Section 3.3. From epoch
    `round(start * max_epochs) + 1` (1-based) on, the term of a sample is multiplied by the effective-number weight of
    its label, divided by the mean weight of the batch's labels: a mean over the batch becomes the weighted mean of
    `torch.nn.functional.cross_entropy`. Before the first `set_epoch` the loss is plain.

    Equation:
        L = the inner loss up to epoch round(start E) of E, then with the term of
        image i times w[y_i] / mean_j w[y_j],   w[c] = (1 - beta) / (1 - beta^n_c)

    Limits:
        It acts in the last epochs only: a run that keeps an earlier epoch is one without it.

    Args:
        class_counts: Training images per class, shape (C,).
        loss: The loss that is weighted, built with `class_counts`; it should average over the batch.
        start: Fraction of the epochs before the switch.
        beta: Parameter of the effective number.

    Raises:
        ValueError: A class has no training image, or `start` or `beta` is outside [0, 1].
    """

    class_weight: Tensor

    def __init__(self, class_counts: Tensor, loss: LossFactory, start: float = 0.8, beta: float = 0.9999) -> None:
        super().__init__(class_counts)
        if not 0 <= start <= 1:
            raise ValueError(f"start must lie between 0 and 1, but is {start}.")
        self.register_buffer("class_weight", effective_number_weights(self.class_counts, beta))
        inner = loss(self.class_counts)
        if not isinstance(inner, ImbalancedLoss):
            raise ValueError(refusal_of_weights(inner))
        self.loss = inner
        self.start = start
        self.weighted = False

    def set_epoch(self, epoch: int, max_epochs: int) -> None:
        """Switches the weights on or off; the inner loss is told the epoch apart from this one.

        Args:
            epoch: The epoch that begins, 1-based.
            max_epochs: Number of epochs of the run.

        Raises:
            ValueError: `max_epochs` is not positive.
        """
        self.weighted = epoch > round(self.start * checked_epochs(max_epochs, "Deferred"))

    def forward(self, logits: Tensor, label: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        """Returns the loss, shape (), of logits (B, C), labels (B,) and optional sample weights (B,)."""
        if self.weighted:
            label_weight = self.class_weight.to(torch.promote_types(logits.dtype, torch.float32))[label]
            label_weight = label_weight * (len(label) / label_weight.sum())
            sample_weight = label_weight if sample_weight is None else label_weight * sample_weight
        return self.loss(logits, label, sample_weight)
