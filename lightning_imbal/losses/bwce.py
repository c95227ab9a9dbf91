"""Balanced-weighted cross-entropy."""

from typing import Literal

import torch
from torch import Tensor

from lightning_imbal.losses.checks import checked_epochs
from lightning_imbal.losses.cross_entropy import CrossEntropy
from lightning_imbal.losses.weights import inverse_frequency_weights


class BWCE(CrossEntropy):
    """Cross-entropy with a curriculum: plain at first, then weighted by class size, then by how hard a class is.

    Zhang et al. 2023, "ECL: Class-Enhancement Contrastive Learning for Long-Tailed Skin Lesion Classification", Eq. 4
    and 5. With E epochs, E1 = warm * E and E2 = balanced * E, the weight of class c in epoch e (1-based) is 1 up to E1,
    `(C / n_c / sum_k 1 / n_k) ** ((e - E1) / (E2 - E1))` up to E2, and then
    `(C / f_c / sum_k 1 / f_k) ** ((e - E2) / (E - E2))`, where f_c is the F1 of the class on the validation part after
    the epoch before. An F1 below 0.01 counts as 0.01 (0 has no inverse); a class that the validation part lacks has the
    mean F1 of the others. Before the first `set_epoch` the weights are 1, and while no F1 is known all f_c are equal.

    Equation:
        L = mean_i w[y_i] (-log p[y_i])
        w[c] = 1   up to epoch E1
        w[c] = (C / n_c / sum_k 1 / n_k)^((e - E1) / (E2 - E1))   up to E2
        w[c] = (C / f_c / sum_k 1 / f_k)^((e - E2) / (E - E2))    up to the last, E
        f_c: F1 of class c on the validation part after the epoch before

    Limits:
        It needs a validation part (`--data.split.val 0.1`), unless `balanced` is 1. The F1 of a class of few validation
        images is mostly chance, and so is its weight; without any it has the mean F1 of the others.

    Args:
        class_counts: Training images per class, shape (C,).
        warm: E1 as a fraction of the epochs.
        balanced: E2 as a fraction of the epochs.
        reduction: The sum of the weighted terms is divided by the number of samples ("batch_mean", Eq. 4) or by the
            weights of the batch's labels ("weighted_mean", the released code).

    Raises:
        ValueError: A class has no training image, not 0 <= warm <= balanced <= 1, or `reduction` is not one of those.
    """

    f1: Tensor
    without_difficulty = "model.loss.balanced=1"

    def __init__(
        self,
        class_counts: Tensor,
        warm: float = 0.2,
        balanced: float = 0.5,
        reduction: Literal["weighted_mean", "batch_mean"] = "batch_mean",
    ) -> None:
        super().__init__(class_counts, reduction=reduction)
        if not 0 <= warm <= balanced <= 1:
            raise ValueError(
                f"warm and balanced must satisfy 0 <= warm <= balanced <= 1, but are {warm} and {balanced}."
            )
        self.warm, self.balanced = warm, balanced
        self.needs_difficulty = balanced < 1
        self.epoch, self.max_epochs = 0, 1
        self.register_buffer("f1", torch.ones_like(self.class_counts))

    def set_difficulty(self, f1: Tensor) -> None:
        """Takes over the F1 of each class (C,) on the validation part, at once; NaN for a class that it lacks."""
        f1 = f1.to(self.f1).clamp(min=0.01)
        self.f1 = f1.nan_to_num(nan=float(f1.nanmean().nan_to_num(1.0)))
        self._weigh_classes()

    def set_epoch(self, epoch: int, max_epochs: int) -> None:
        """Sets the class weights of `epoch` (1-based) of `max_epochs`; ValueError if `max_epochs` is not positive."""
        self.epoch, self.max_epochs = epoch, checked_epochs(max_epochs, "BWCE")
        self._weigh_classes()

    def _weigh_classes(self) -> None:
        # Rounded, because 0.29 * 100 is a little less than 29.
        first, second = round(self.warm * self.max_epochs, 9), round(self.balanced * self.max_epochs, 9)
        if self.epoch <= first:
            self.class_weight = torch.ones_like(self.class_counts)
        elif self.epoch <= second:
            progress = (self.epoch - first) / (second - first)
            self.class_weight = inverse_frequency_weights(self.class_counts) ** progress
        else:
            progress = (self.epoch - second) / (self.max_epochs - second)
            self.class_weight = inverse_frequency_weights(self.f1) ** progress
