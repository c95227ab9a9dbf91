"""The perceptron between a backbone's feature and a contrastive loss."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Projection(nn.Module):
    """Perceptron with ReLU that ends in a unit-length embedding; it is dropped when the classifier is trained or used.

    Args:
        in_features: Size of the feature.
        hidden_size: Width of the hidden layers.
        embedding_size: Size of the embedding.
        hidden_layers: Number of hidden layers.
        batch_norm: Whether BatchNorm follows each hidden layer.
    """

    def __init__(
        self,
        in_features: int,
        hidden_size: int = 2048,
        embedding_size: int = 128,
        hidden_layers: int = 1,
        batch_norm: bool = False,
    ) -> None:
        super().__init__()
        for name, size in {"hidden_size": hidden_size, "embedding_size": embedding_size}.items():
            if size < 1:
                raise ValueError(f"{name} must be at least 1, but is {size}.")
        layers: list[nn.Module] = []
        sizes = [in_features] + [hidden_size] * hidden_layers
        for size, next_size in pairwise(sizes):
            norm = [nn.BatchNorm1d(next_size)] if batch_norm else []
            layers += [nn.Linear(size, next_size), *norm, nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Linear(sizes[-1], embedding_size))

    def forward(self, feature: Tensor) -> Tensor:
        """Returns embeddings (N, E) of features (N, D), in float32 or better."""
        embedding = self.layers(feature)
        # A unit vector rounded to half precision would shift similarities at a temperature of 0.01 by several tenths.
        with torch.autocast(device_type=embedding.device.type, enabled=False):
            return F.normalize(embedding.to(torch.promote_types(embedding.dtype, torch.float32)), dim=-1)
