"""What every classification loss shares."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

from torch import Tensor, nn

from lightning_imbal.losses.checks import checked_counts


class ClassificationLoss(nn.Module, ABC):
    """What a configuration may name as a loss: one of this package by its name, any other `nn.Module` by its path."""

    @classmethod
    def __subclasshook__(cls, other: type) -> bool:
        return issubclass(other, nn.Module) if cls is ClassificationLoss else NotImplemented


class ImbalancedLoss(ClassificationLoss):
    """A classification loss that knows the class sizes of its training split.

    Args:
        class_counts: Training images per class, ordered by label, shape (C,). Kept as a float64 buffer.

    Raises:
        ValueError: A class has no training image.
    """

    class_counts: Tensor
    needs_difficulty = False  # whether it waits for the F1 of each class on a validation part
    without_difficulty = ""  # the option that makes it wait for none
    weighs_images = True  # whether it takes `sample_weight`
    needs_order = False  # whether it takes the classes for grades, from low to high
    adjusts_logits = False  # whether the logits are those of equal class sizes once it has trained them

    def __init__(self, class_counts: Tensor) -> None:
        super().__init__()
        self.register_buffer("class_counts", checked_counts(class_counts))

    def check(self, count: Callable[[str], int]) -> None:
        """Refuses data that it cannot learn from.

        Args:
            count: Images of a part: train, val or test; asked only where it matters: the labels are read for it.

        Raises:
            ValueError: It waits for the F1 of a validation part that is not there.
        """
        if self.needs_difficulty and not count("val"):
            otherwise = f", or set {self.without_difficulty}" if self.without_difficulty else ""
            raise ValueError(
                f"{type(self).__name__} weighs classes by their F1 on a validation part, but there is none: give the "
                f"split one (data.split.val=0.1){otherwise}."
            )

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


if TYPE_CHECKING:
    LossFactory = Callable[[Tensor], nn.Module]
else:
    LossFactory = Callable[[Tensor], ClassificationLoss]
