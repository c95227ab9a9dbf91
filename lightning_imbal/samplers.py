"""Samplers that balance classes, each epoch from a generator of its own."""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Sampler


def run_seed() -> int:
    """The seed of the run as `lightning.seed_everything` leaves it in the environment, 0 if there is none."""
    return int(os.environ.get("PL_GLOBAL_SEED", 0))


def epoch_generator(seed: int, epoch: int, stream: int = 0) -> torch.Generator:
    """A generator that depends on nothing but `seed`, `epoch` and `stream`, none of them negative."""
    # Hashing them, unlike adding them, keeps epoch 1 of seed 0 apart from epoch 0 of seed 1.
    state = np.random.SeedSequence([seed, epoch, stream]).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(state) & (2**63 - 1))


class EpochSampler(Sampler[int], ABC):
    """Draws the images of an epoch from a generator of its own, seeded by (seed, epoch).

    Every process draws the same list, of which it can keep its share, and a resumed run draws what an unbroken one
    would have drawn.

    Args:
        labels: Class label of each image, integers, shape (N,).
        seed: None takes the seed of the run.

    Attributes:
        max_epochs: Number of epochs of the run; set by the DataModule to the Trainer's number of epochs.
        stream: Samplers that draw for one batch together, such as those of Balanced-MixUp, have different streams,
            else equal seeds would give equal draws.

    Raises:
        ValueError: `labels` is empty, or not a vector of integers.
    """

    max_epochs: int | None = None
    stream: int = 0

    def __init__(self, labels: Tensor, seed: int | None = None) -> None:
        if labels.ndim != 1 or labels.is_floating_point():
            raise ValueError(f"labels must be a vector of integers, but are {labels.ndim}-dimensional {labels.dtype}.")
        if len(labels) == 0:
            raise ValueError("There is no image to draw from: labels is empty.")
        # Classes are numbered anew in the order of their labels, so those without an image drop out.
        _, self.class_of_image, self.class_sizes = labels.unique(return_inverse=True, return_counts=True)
        self.class_starts = self.class_sizes.cumsum(0) - self.class_sizes
        self.seed = run_seed() if seed is None else seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Chooses the epoch (0-based) whose list the next iteration draws."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
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


class ClassPower(EpochSampler):
    """Draws classes with probability `n_c ** q / sum_k n_k ** q`, then a uniform image of the class.

    Galdran et al. 2021, "Balanced-MixUp for Highly Imbalanced Medical Image Classification", Eq. 2. `q = 1` is instance
    sampling: A shuffle in which every image appears once, or uniform draws with replacement if `length` is not N. Any
    other `q` draws with replacement: 0.5 is square-root, 0 class-balanced sampling.

    Args:
        labels: Class label of each image, shape (N,).
        q: Exponent of the class sizes.
        length: Images drawn in an epoch; None means N, "max" n_max * C: The largest class times the number of classes.
        seed: None takes the seed of the run.

    Raises:
        ValueError: `labels` is empty or not a vector of integers, or `length` is not positive.
    """

    def __init__(
        self, labels: Tensor, q: float = 1.0, length: int | Literal["max"] | None = None, seed: int | None = None
    ) -> None:
        super().__init__(labels, seed)
        self.length = self.epoch_length(length)
        self.shuffle = q == 1 and self.length == len(labels)
        power = self.class_sizes.double() ** q
        self.class_probability = power / power.sum()
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


class Reversed(ClassPower):
    """Draws classes with probability proportional to `n_max / n_c`, then a uniform image of the class.

    Zhou et al. 2020, "BBN: Bilateral-Branch Network with Cumulative Learning for Long-Tailed Visual Recognition",
    reversed sampler. It is `ClassPower` with `q = -1`: Rare classes are drawn more often than frequent ones.

    Args:
        labels: Class label of each image, shape (N,).
        length: Images drawn in an epoch, as for `ClassPower`.
        seed: None takes the seed of the run.

    Raises:
        ValueError: `labels` is empty or not a vector of integers, or `length` is not positive.
    """

    def __init__(self, labels: Tensor, length: int | Literal["max"] | None = None, seed: int | None = None) -> None:
        super().__init__(labels, -1.0, length, seed)


class DeferredBalance(EpochSampler):
    """Deferred re-sampling (DRS): A shuffle of all images at first, class-balanced draws in the last epochs.

    A baseline of Chen et al. 2021, who take it from Zhou et al. 2020 (BBN). From the 0-based epoch
    `round(start * max_epochs)` on, the N draws of an epoch are those of `ClassPower` with `q = 0`, before it `q = 1`.

    Args:
        labels: Class label of each image, shape (N,).
        start: Fraction of the epochs before the switch, in 0..1.
        seed: None takes the seed of the run.

    Raises:
        ValueError: `labels` is empty or not a vector of integers, `start` is outside 0..1, or, when an epoch is drawn,
            `max_epochs` is not set.
    """

    def __init__(self, labels: Tensor, start: float = 0.8, seed: int | None = None) -> None:
        super().__init__(labels, seed)
        if not 0 <= start <= 1:
            raise ValueError(f"start must be in 0..1, but is {start}.")
        self.start = start
        self.instance, self.balanced = ClassPower(labels), ClassPower(labels, q=0.0)

    def __len__(self) -> int:
        return len(self.instance)

    def draw(self, generator: torch.Generator) -> Tensor:
        switched = self.epoch >= round(self.start * self.epochs_of_run())
        return (self.balanced if switched else self.instance).draw(generator)


class ProgressiveBalance(EpochSampler):
    """Progressively-balanced sampling: Every epoch is drawn a little more evenly from the classes than the one before.

    Kang et al. 2020, "Decoupling Representation and Classifier for Long-Tailed Recognition"; also in the code released
    with Galdran et al. 2021. In the 0-based epoch `e` class `c` has probability `(1 - t) * n_c / N + t / C` with
    `t = e / (max_epochs - 1)`, where C counts the classes that have images. N draws with replacement make an epoch.

    Args:
        labels: Class label of each image, shape (N,).
        seed: None takes the seed of the run.

    Raises:
        ValueError: `labels` is empty or not a vector of integers, or, when an epoch is drawn, `max_epochs` is not set.
    """

    def __len__(self) -> int:
        return len(self.class_of_image)

    def draw(self, generator: torch.Generator) -> Tensor:
        t = min(self.epoch / max(self.epochs_of_run() - 1, 1), 1.0)
        probability = (1 - t) / len(self) + t / (len(self.class_sizes) * self.class_sizes.double())
        return probability[self.class_of_image].multinomial(len(self), replacement=True, generator=generator)


class OversampleToMax(EpochSampler):
    """Brings every class to the size of the largest by copies, then shuffles.

    Marrakchi et al. 2021, "Fighting Class Imbalance with Contrastive Learning", Section 3. With `n_max` images in the
    largest class, each image of a class of `n_c` appears `floor(n_max / n_c)` or `ceil(n_max / n_c)` times an epoch;
    which images have the additional copy is drawn anew each epoch.

    Args:
        labels: Class label of each image, shape (N,).
        seed: None takes the seed of the run.

    Raises:
        ValueError: `labels` is empty or not a vector of integers.
    """

    def __len__(self) -> int:
        return self.epoch_length("max")

    def draw(self, generator: torch.Generator) -> Tensor:
        each_class = torch.arange(len(self.class_sizes))
        drawn = self.cycle_images(each_class.repeat_interleave(int(self.class_sizes.max())), generator)
        return drawn[torch.randperm(len(drawn), generator=generator)]
