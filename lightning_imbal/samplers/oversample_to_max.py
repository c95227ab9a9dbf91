"""Copies up to the size of the largest class."""

import torch
from torch import Tensor

from lightning_imbal.samplers.base import EpochSampler


class OversampleToMax(EpochSampler):
    """Brings every class to the size of the largest by copies, then shuffles.

    Marrakchi et al. 2021, "Fighting Class Imbalance with Contrastive Learning", Section 3. With `n_max` images in the
    largest class, each image of a class of `n_c` appears `floor(n_max / n_c)` or `ceil(n_max / n_c)` times an epoch;
    which images have the additional copy is drawn anew each epoch.

    Equation:
        images of class c in an epoch = n_max: each one floor(n_max / n_c) or
        ceil(n_max / n_c) times;   n_max: the largest n_c

    Limits:
        An epoch is as long as the number of classes times the largest one: take fewer epochs. Copies of few images are
        learned by heart, if augmentation is weak.

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
