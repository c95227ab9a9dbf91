"""Class-aware sampling: class after class in blocks."""

from typing import Literal

import torch
from torch import Tensor

from lightning_imbal.samplers.base import EpochSampler


class ClassBlocks(EpochSampler):
    """Class-aware sampling: Visits the classes in turn and takes some images of each at a visit.

    Kang et al. 2020, "Decoupling Representation and Classifier for Long-Tailed Recognition", as in its code; Chen et
    al. 2021 use it as RS. Every cycle visits every class once, in an order drawn anew. A visit goes on in the shuffled
    images of the class where the last one ended, and after the last image comes the first again.

    Equation:
        P(class c) = 1 / C, with per_class images of a class in a row

    Args:
        labels: Class label of each image, shape (N,).
        per_class: Images of a visit.
        length: Images drawn in an epoch, as for `ClassPower`; the last visit may be cut.
        seed: None takes the seed of the run.

    Raises:
        ValueError: `labels` is empty or not a vector of integers, or `per_class` or `length` is not positive.
    """

    def __init__(
        self,
        labels: Tensor,
        per_class: int = 4,
        length: int | Literal["max"] | None = "max",
        seed: int | None = None,
    ) -> None:
        super().__init__(labels, seed)
        if per_class < 1:
            raise ValueError(f"per_class must be at least 1, but is {per_class}.")
        self.per_class, self.length = per_class, self.epoch_length(length)

    def __len__(self) -> int:
        return self.length

    def draw(self, generator: torch.Generator) -> Tensor:
        classes = len(self.class_sizes)
        cycles = -(-self.length // (classes * self.per_class))
        visited = torch.rand(cycles, classes, generator=generator).argsort(1).flatten()
        return self.cycle_images(visited.repeat_interleave(self.per_class)[: self.length], generator)
