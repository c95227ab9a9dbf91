"""What heads share: those that are computed rather than trained."""

from abc import ABC, abstractmethod
from collections.abc import Callable

from torch import Tensor, nn


class ClosedFormHead(nn.Module, ABC):
    """A head that is computed from features rather than trained by gradient; it has no parameters, only buffers."""

    @property
    def chosen_on_validation(self) -> dict[str, str]:
        """What `solve` chooses by a score of the validation part, and by which one."""
        return {}

    def check(self, count: Callable[[str], int]) -> None:
        """Refuses data that it cannot be computed from.

        Args:
            count: Images of a part: train, val or test; asked only where it matters: the labels are read for it.

        Raises:
            ValueError: A part is missing; the message says the mend.
        """

    @abstractmethod
    def solve(self, train: tuple[Tensor, Tensor], val: tuple[Tensor, Tensor] | None) -> None:
        """Computes the head.

        Args:
            train: Features (N, D) and labels (N,) of the training part.
            val: Those of the validation part, or None if the split has none.
        """

    @abstractmethod
    def forward(self, feature: Tensor) -> Tensor:
        """Returns logits (B, C) of features (B, D)."""
