"""Random unit vectors for the tests of TSC."""

import torch
import torch.nn.functional as F
from torch import Tensor


def unit(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(*shape, generator=generator, dtype=torch.float64), dim=-1)
