"""Samplers of torch or of the user that know nothing of seeds and epochs."""

import torch
from torch import Tensor
from torch.utils.data import Sampler

from lightning_imbal.samplers.base import EpochSampler


class SeededSampler(EpochSampler):
    """Another sampler, whose random numbers come from the generator of the epoch.

    So every process draws the same list, and a resumed run what an unbroken one would have drawn.

    Args:
        labels: Class label of each image, shape (N,).
        sampler: Yields positions among them. One with a `generator` gets that of the epoch; for any other one torch's
            own generator is seeded while it draws.
    """

    def __init__(self, labels: Tensor, sampler: Sampler[int]) -> None:
        super().__init__(labels)
        self.sampler = sampler

    def __len__(self) -> int:
        return len(self.sampler)  # type: ignore[arg-type]  # torch leaves it to each sampler

    def draw(self, generator: torch.Generator) -> Tensor:
        if hasattr(self.sampler, "generator"):
            self.sampler.generator = generator
            return torch.tensor(list(self.sampler))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(generator.initial_seed())
            return torch.tensor(list(self.sampler))
