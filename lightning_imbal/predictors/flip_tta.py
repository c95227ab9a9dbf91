"""An image and its mirror image."""

import math

import torch
from torch import Tensor, nn

from lightning_imbal.predictors.base import Predictor


class FlipTTA(Predictor):
    """Averages the class probabilities of an image and of its mirror image.

    Test-time augmentation of Galdran et al. 2021, "Balanced-MixUp for Highly Imbalanced Medical Image Classification",
    section 2.4. The logits are the logarithm of the averaged probabilities, in float32 or better.
    """

    def forward(self, model: nn.Module, image: Tensor) -> Tensor:
        # Two passes rather than one of twice the size: whatever batch fits the memory without flips fits with them.
        logits = torch.stack([model(image), model(image.flip(-1))])
        log_prob = logits.to(torch.promote_types(logits.dtype, torch.float32)).log_softmax(dim=-1)
        return log_prob.logsumexp(dim=0) - math.log(2)
