"""Batches of P classes with K images each."""

import torch
from torch import Tensor

from lightning_imbal.samplers.base import EpochSampler


class PKBatches(EpochSampler):
    """Batches of P classes with K images each, for the triplet loss.

    Hermans et al. 2017, "In Defense of the Triplet Loss for Person Re-Identification". Each run of `batch_size` draws
    has P different classes, chosen uniformly, and K images of each. They are distinct if the class has K images, and
    repeat as evenly as possible if not. From batch to batch a class goes on in its shuffled images.

    Args:
        labels: Class label of each image, shape (N,).
        classes: P, the classes in a batch.
        samples: K, the images of each class in a batch.
        length: Images drawn in an epoch, cut to whole batches, but at least one batch; None means N.
        seed: None takes the seed of the run.

    Attributes:
        batch_size: P * K; the batches of the loader have to be as large.

    Raises:
        ValueError: `labels` is empty or not a vector of integers, `classes`, `samples` or `length` is not positive, or
            fewer than P classes have images.
    """

    def __init__(
        self, labels: Tensor, classes: int, samples: int, length: int | None = None, seed: int | None = None
    ) -> None:
        super().__init__(labels, seed)
        if classes < 1 or samples < 1:
            raise ValueError(f"classes and samples must be at least 1, but are {classes} and {samples}.")
        if classes > len(self.class_sizes):
            raise ValueError(
                f"A batch cannot have {classes} classes, for only {len(self.class_sizes)} have images: lower classes."
            )
        self.classes, self.samples, self.batch_size = classes, samples, classes * samples
        self.batches = max(self.epoch_length(length) // self.batch_size, 1)

    def __len__(self) -> int:
        return self.batches * self.batch_size

    def draw(self, generator: torch.Generator) -> Tensor:
        chosen = torch.rand(self.batches, len(self.class_sizes), generator=generator).argsort(1)[:, : self.classes]
        return self.cycle_images(chosen.flatten().repeat_interleave(self.samples), generator)
