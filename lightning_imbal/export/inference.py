"""From pixels to probabilities, as one module."""

import albumentations as A
import numpy as np
from torch import Tensor, nn

from lightning_imbal.data.normalize import Normalize
from lightning_imbal.modules.base_classifier import ImbalClassifier
from lightning_imbal.predictors.base import Predictor

OUTPUTS = ("logits", "probability")
ANSWER = "answer"


class Inference(nn.Module):
    """What happens to a picture of the network's size, from pixels to probabilities.

    Args:
        model: A classifier.
        predictor: How its logits are obtained.
        normalize: How its pictures are normalised.
        offset: What is added to the logits before the largest is the answer, (C,); None gives no answer.

    Attributes:
        outputs: Names of what it returns.
    """

    mean: Tensor
    std: Tensor
    offset: Tensor | None

    def __init__(
        self, model: ImbalClassifier, predictor: Predictor, normalize: Normalize, offset: Tensor | None = None
    ) -> None:
        super().__init__()
        self.outputs = OUTPUTS if offset is None else (*OUTPUTS, ANSWER)
        self.register_buffer("offset", offset)
        self.model, self.predictor = model, predictor
        self.register_buffer("mean", normalize.mean.clone())
        self.register_buffer("std", normalize.std.clone())

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Returns logits and probabilities (B, C) of images (B, 3, H, W), RGB in 0..1, and the answers (B,), if any."""
        logits = self.predictor(self.model, (image - self.mean) / self.std).float()
        found = logits, logits.softmax(dim=1)
        return found if self.offset is None else (*found, (logits + self.offset).argmax(dim=1))


def input_size(recipe: A.Compose) -> tuple[int, int]:
    """Height and width, in pixels, of what a test transform makes of a picture."""
    # Larger than any network's input, so that a crop finds what it needs.
    return recipe(image=np.zeros((1024, 1024, 3), np.uint8))["image"].shape[:2]
