"""One forward pass."""

from torch import Tensor, nn

from lightning_imbal.predictors.base import Predictor


class Plain(Predictor):
    """One forward pass."""

    asks_image = False

    def forward(self, model: nn.Module, image: Tensor) -> Tensor:
        return model(image)
