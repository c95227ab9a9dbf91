"""Progressively-balanced sampling."""

import torch
from torch import Tensor

from lightning_imbal.samplers.base import EpochSampler


class ProgressiveBalance(EpochSampler):
    """Progressively-balanced sampling: Every epoch is drawn a little more evenly from the classes than the one before.

    Kang et al. 2020, "Decoupling Representation and Classifier for Long-Tailed Recognition"; also in the code released
    with Galdran et al. 2021. In the 0-based epoch `e` class `c` has probability `(1 - t) * n_c / N + t / C` with
    `t = e / (max_epochs - 1)`, where C counts the classes that have images. N draws with replacement make an epoch.

    Equation:
        P(class c) = (1 - t) n_c / N + t / C
        t = e / (E - 1) in the 0-based epoch e of E

    Limits:
        It is balanced in the last epochs only: a run that keeps an early epoch is hardly balanced.

    Args:
        labels: Class label of each image, shape (N,).
        seed: None takes the seed of the run.

    Raises:
        ValueError: `labels` is empty or not a vector of integers, or, when an epoch is drawn, `max_epochs` is not set.
    """

    follows_epochs = True

    def __len__(self) -> int:
        return len(self.class_of_image)

    def draw(self, generator: torch.Generator) -> Tensor:
        t = min(self.epoch / max(self.epochs_of_run() - 1, 1), 1.0)
        probability = (1 - t) / len(self) + t / (len(self.class_sizes) * self.class_sizes.double())
        return probability[self.class_of_image].multinomial(len(self), replacement=True, generator=generator)
