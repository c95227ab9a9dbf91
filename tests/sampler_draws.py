"""What a sampler draws in an epoch, and how often."""

import torch
from torch import Tensor

from lightning_imbal.samplers import DeferredBalance, EpochSampler, ProgressiveBalance

# Labels in no order and no image of class 1.
LABELS = torch.tensor([0] * 17 + [2] * 5 + [3] * 10)[torch.randperm(32, generator=torch.Generator().manual_seed(0))]
SIZES = {0: 17, 2: 5, 3: 10}
# One to five images of a lesion or patient, some of several classes.
GROUPS = torch.tensor([0, 1, 2, 3, 4, 4, 5, 5, 5, 6, 6, 6, 6, 7, 7, 7, 7, 7, *range(8, 19), 19, 19, 3])


def deferred(max_epochs: int = 5, start: float = 0.4, seed: int | None = None) -> DeferredBalance:
    sampler = DeferredBalance(LABELS, start, seed)
    sampler.max_epochs = max_epochs
    return sampler


def progressive(max_epochs: int = 5, seed: int | None = None) -> ProgressiveBalance:
    sampler = ProgressiveBalance(LABELS, seed)
    sampler.max_epochs = max_epochs
    return sampler


def frequencies(values: Tensor, length: int) -> Tensor:
    return torch.bincount(values, minlength=length) / len(values)


def draw(sampler: EpochSampler, epoch: int) -> Tensor:
    sampler.set_epoch(epoch)
    return torch.tensor(list(sampler))
