"""Cosine classifier."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def scaled_cosine(feature: Tensor, direction: Tensor, scale: float) -> Tensor:
    """Returns scale * cosine, shape (B, C), of features (B, D) and class directions (C, D), in float32 or better.

    Half precision would round scores of 30 to steps of 1/64 or 1/8. A vector of length 0 has the cosine 0.
    """
    with torch.autocast(device_type=feature.device.type, enabled=False):
        feature = feature.to(torch.promote_types(feature.dtype, torch.float32))
        direction = direction.to(feature.dtype)
        return scale * F.linear(F.normalize(feature, dim=1), F.normalize(direction, dim=1))


class NormedLinear(nn.Module):
    """Cosine classifier: scale * cosine of the feature and the weight of each class, without bias.

    The head of LDAM, Cao et al. 2019, "Learning Imbalanced Datasets with Label-Distribution-Aware Margin Loss",
    Section 3.2. `weight` has shape (in_features, num_classes) and starts with random columns of unit length.

    Equation:
        z[c] = scale cos(f, w_c)

    Args:
        in_features: Size of the feature.
        num_classes: Number of classes.
        scale: Factor of the cosine: the same as that of the loss.

    Raises:
        ValueError: `scale` is not positive.
    """

    def __init__(self, in_features: int, num_classes: int, scale: float = 30.0) -> None:
        super().__init__()
        check_scale(scale)
        weight = torch.empty(in_features, num_classes).uniform_(-1, 1)
        self.weight = nn.Parameter(F.normalize(weight, dim=0))
        self.scale = scale

    def forward(self, feature: Tensor) -> Tensor:
        """Returns logits (B, C) of features (B, D)."""
        return scaled_cosine(feature, self.weight.T, self.scale)


def check_scale(scale: float) -> None:
    """Refuses, with a ValueError, a scale that is not positive."""
    if not scale > 0:
        raise ValueError(f"scale must be positive, but is {scale}.")
