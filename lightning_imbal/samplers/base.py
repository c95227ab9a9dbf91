"""What samplers share: each epoch is drawn from a generator of its own."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Literal

import torch
from torch import Tensor
from torch.utils.data import Sampler

from lightning_imbal.seeding import epoch_generator, run_seed


class EpochSampler(Sampler[int], ABC):
    """Draws the images of an epoch from a generator of its own, seeded by (seed, epoch).

    Every process draws the same list, of which it can keep its share, and a resumed run draws what an unbroken one
    would have drawn.

    Args:
        labels: Class label of each image, integers, shape (N,).
        seed: None takes the seed of the run.

    Attributes:
        max_epochs: Number of epochs of the run; set by the DataModule to the Trainer's number of epochs.
        follows_epochs: Whether what it draws depends on `max_epochs`: a run that goes on must keep that number.
        stream: Samplers that draw for one batch together, such as those of Balanced-MixUp, have different streams,
            else equal seeds would give equal draws.

    Raises:
        ValueError: `labels` is empty or not a vector of integers, or `seed` is outside its range.
    """

    max_epochs: int | None = None
    stream: int = 0
    follows_epochs: bool = False

    def __init__(self, labels: Tensor, seed: int | None = None) -> None:
        if labels.ndim != 1 or labels.is_floating_point():
            raise ValueError(f"labels must be a vector of integers, but are {labels.ndim}-dimensional {labels.dtype}.")
        if seed is not None and not 0 <= seed < 2**32:
            raise ValueError(f"seed must be in 0..4294967295, but is {seed}.")
        if len(labels) == 0:
            raise ValueError("There is no image to draw from: labels is empty.")
        # Classes are numbered anew in the order of their labels, so those without an image drop out.
        _, self.class_of_image, self.class_sizes = labels.unique(return_inverse=True, return_counts=True)
        self.class_starts = self.class_sizes.cumsum(0) - self.class_sizes
        self.seed = run_seed() if seed is None else seed
        self.epoch, self._drawn = 0, False

    def set_epoch(self, epoch: int) -> None:
        """Chooses the epoch (0-based) whose list the next iteration draws; those after it draw the epochs after it."""
        self.epoch, self._drawn = epoch, False

    def __iter__(self) -> Iterator[int]:
        self.epoch, self._drawn = self.epoch + self._drawn, True
        return iter(self.draw(epoch_generator(self.seed, self.epoch, self.stream)).tolist())

    @abstractmethod
    def __len__(self) -> int:
        """Number of images drawn in an epoch."""

    @abstractmethod
    def draw(self, generator: torch.Generator) -> Tensor:
        """Returns the image indices of one epoch in the order of their use, shape (len(self),)."""

    def epoch_length(self, length: int | Literal["max"] | None) -> int:
        """Number of draws that `length` means: None is N, "max" is n_max * C. ValueError if it is below 1."""
        if length is None:
            return len(self.class_of_image)
        if length == "max":
            return len(self.class_sizes) * int(self.class_sizes.max())
        if length < 1:
            raise ValueError(f"length must be at least 1, but is {length}.")
        return length

    def epochs_of_run(self) -> int:
        """Returns `max_epochs`; ValueError if it is not known."""
        # Lightning's -1 means epochs without end.
        if self.max_epochs is None or self.max_epochs < 0:
            raise ValueError(
                f"{type(self).__name__} needs to know the number of epochs, but max_epochs is {self.max_epochs}: "
                "set it to that of the Trainer."
            )
        return self.max_epochs

    def cycle_images(self, drawn_class: Tensor, generator: torch.Generator) -> Tensor:
        """Draws an image for each drawn class (L,), without replacement until all images of the class are used.

        The images of a class are shuffled once; after the last one comes the first again.
        """
        shuffled = torch.randperm(len(self.class_of_image), generator=generator)
        shuffled_by_class = shuffled[self.class_of_image[shuffled].argsort(stable=True)]
        draws = drawn_class.bincount()
        first = (draws.cumsum(0) - draws).repeat_interleave(draws)
        turn = torch.empty_like(drawn_class)  # earlier draws of the same class
        turn[drawn_class.argsort(stable=True)] = torch.arange(len(drawn_class)) - first
        return shuffled_by_class[self.class_starts[drawn_class] + turn % self.class_sizes[drawn_class]]
