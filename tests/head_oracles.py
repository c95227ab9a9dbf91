"""Random features, and slow oracles of heads."""

import math

import torch
from torch import Tensor, nn

CLASSES, DIM = 3, 4
LABEL = torch.tensor([0, 0, 0, 1, 1, 1, 2, 2])


def random_feature(batch: int = 8, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(batch, DIM, generator=generator)


def cosine(a: list[float], b: list[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True)) / math.hypot(*a) / math.hypot(*b)


class Classifier(nn.Module):
    def __init__(self, head: nn.Module) -> None:
        super().__init__()
        self.head = head
