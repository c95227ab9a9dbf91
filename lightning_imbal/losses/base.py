"""What every classification loss shares."""

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor, nn


def checked_counts(class_counts: Tensor) -> Tensor:
    """Returns class sizes (C,) in float64; ValueError if one of them is not positive."""
    class_counts = torch.as_tensor(class_counts, dtype=torch.float64)
    empty = (~(class_counts > 0)).nonzero().flatten().tolist()
    if empty:
        raise ValueError(
            f"No training image has class label {', '.join(map(str, empty))}: "
            "leave the class out of the data set or choose a split that keeps some of its images for training."
        )
    return class_counts


def checked_epochs(max_epochs: int, owner: str) -> int:
    """Returns the number of epochs; ValueError, which names its owner, if it is not positive: -1 is without end."""
    if not max_epochs > 0:
        raise ValueError(
            f"{owner} needs to know the number of epochs, but max_epochs is {max_epochs}: set that of the Trainer."
        )
    return max_epochs


class ImbalancedLoss(nn.Module, ABC):
    """A classification loss that knows the class sizes of its training split.

    Args:
        class_counts: Training images per class, ordered by label, shape (C,). Kept as a float64 buffer.

    Raises:
        ValueError: A class has no training image.
    """

    class_counts: Tensor
    needs_difficulty = False  # whether it waits for the F1 of each class on a validation part

    def __init__(self, class_counts: Tensor) -> None:
        super().__init__()
        self.register_buffer("class_counts", checked_counts(class_counts))

    def set_epoch(self, epoch: int, max_epochs: int) -> None:
        """Tells a loss with a schedule that `epoch` (1-based) of `max_epochs` begins."""

    def set_difficulty(self, f1: Tensor) -> None:
        """Tells a loss that waits for it the F1 of each class (C,) on the validation part; NaN for a class it lacks."""

    @abstractmethod
    def forward(self, logits: Tensor, label: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        """Returns the loss of a batch.

        Args:
            logits: Unnormalised scores, shape (B, C).
            label: Class labels, shape (B,).
            sample_weight: Scales each sample's term, shape (B,). The divisor of a mean does not depend on it.

        Returns:
            The loss, shape ().
        """


LossFactory = Callable[[Tensor], ImbalancedLoss]
