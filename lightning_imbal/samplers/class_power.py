"""Classes drawn by a power of their sizes."""

from typing import Literal

import torch
from torch import Tensor

from lightning_imbal.samplers.base import EpochSampler


class ClassPower(EpochSampler):
    """Draws classes with probability `n_c ** q / sum_k n_k ** q`, then a uniform image of the class.

    Galdran et al. 2021, "Balanced-MixUp for Highly Imbalanced Medical Image Classification", Eq. 2. `q = 1` is instance
    sampling: A shuffle in which every image appears once, or uniform draws with replacement if `length` is not N. Any
    other `q` draws with replacement: 0.5 is square-root, 0 class-balanced sampling.

    Equation:
        P(class c) = n_c^q / sum_k n_k^q

    Limits:
        With `q = 0` an image of a class of 10 is drawn 100 times as often as one of a class of 1,000: with weak
        augmentation it is learned by heart. Some images of large classes are not seen in an epoch.

    Args:
        labels: Class label of each image, shape (N,).
        q: Exponent of the class sizes.
        length: Images drawn in an epoch; None means N, "max" n_max * C: The largest class times the number of classes.
        seed: None takes the seed of the run.

    Raises:
        ValueError: `labels` is empty or not a vector of integers, or `length` is not positive.

    Example:
        >>> labels = torch.tensor([0] * 90 + [1] * 10)
        >>> {q: ClassPower(labels, q).class_probability.tolist() for q in (1, 0.5, 0)}
        {1: [0.9, 0.1], 0.5: [0.75, 0.25], 0: [0.5, 0.5]}
        >>> sampler = ClassPower(labels, q=0, seed=0)
        >>> first = list(sampler)
        >>> sampler.set_epoch(1)
        >>> (len(first), list(sampler) == first)
        (100, False)
    """

    def __init__(
        self, labels: Tensor, q: float = 1.0, length: int | Literal["max"] | None = None, seed: int | None = None
    ) -> None:
        super().__init__(labels, seed)
        self.length = self.epoch_length(length)
        self.shuffle = q == 1 and self.length == len(labels)
        power = self.class_sizes.double() ** q
        self.class_probability = power / power.sum()
        if not self.class_probability.isfinite().all():
            raise ValueError(f"q must be an exponent of class sizes, such as 0, 0.5 or 1, but is {q:g}.")
        self.images_by_class = self.class_of_image.argsort(stable=True)

    def __len__(self) -> int:
        return self.length

    def draw(self, generator: torch.Generator) -> Tensor:
        if self.shuffle:
            return torch.randperm(self.length, generator=generator)
        drawn_class = self.class_probability.multinomial(self.length, replacement=True, generator=generator)
        uniform = torch.rand(self.length, generator=generator, dtype=torch.float64)
        place = (uniform * self.class_sizes[drawn_class]).long()
        return self.images_by_class[self.class_starts[drawn_class] + place]
