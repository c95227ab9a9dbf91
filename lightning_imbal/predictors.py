"""How a trained network is asked for logits at inference."""

from abc import ABC, abstractmethod
from collections.abc import Callable

from torch import Tensor, nn


class Predictor(nn.Module, ABC):
    """Turns images into logits at validation, test and prediction time.

    Args:
        class_counts: Class sizes of the training part, shape (C,).
    """

    def __init__(self, class_counts: Tensor) -> None:
        super().__init__()

    @abstractmethod
    def forward(self, model: nn.Module, image: Tensor) -> Tensor:
        """Returns logits (B, C) of images (B, 3, H, W)."""


class Plain(Predictor):
    """One forward pass."""

    def forward(self, model: nn.Module, image: Tensor) -> Tensor:
        return model(image)


PredictorFactory = Callable[[Tensor], Predictor]
