"""Random features for the tests of metric learning."""

import torch
from torch import Tensor

LABELS = {
    "all classes": [0, 0, 0, 1, 1, 1, 2, 2],
    "class absent": [0, 0, 0, 0, 0, 0, 2, 2],
    "anchors alone": [0, 0, 1, 1, 1, 1, 2, 3],
    "single positive": [0, 0, 1, 2, 3, 4, 5, 6],
}


def random_feature(batch: int = 8, dim: int = 4, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(batch, dim, generator=generator, dtype=torch.float64)
