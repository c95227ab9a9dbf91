"""Every lesion or patient counts once, however many images there are of it."""

import torch
from torch import Tensor

from lightning_imbal.samplers.base import EpochSampler


class GroupBalanced(EpochSampler):
    """Draws groups (lesions, patients), then one of the images of each: a lesion with nine is not drawn nine times.

    An epoch has as many images as there are groups. With `q = 1` each group is in it once, by one of its images that is
    drawn anew in every epoch. Any other `q`, or another `length`, draws with replacement and balances the classes by
    their numbers of groups, as `ClassPower` does by their numbers of images. An image of unknown group is a group of
    its own; where every image is, this is `ClassPower`. The weight of an image, 1 / (images of its group), is that of
    the scores in which each group counts once.

    Equation:
        P(image i of class c in group g) = n_c^q / sum_k n_k^q * 1 / (|g| n_c)
        n_c = sum over the images of c of 1 / |g|, the groups of the class

    Limits:
        A group with images of several classes, such as a patient with two eyes of different grades, counts in each by
        its share of images, so that n_c need not be whole: with `q = 1` a class is drawn as often as its n_c says.
        Losses that weigh classes still count their images. An epoch is shorter than one of all images: give more of
        them for as many steps.

    Args:
        labels: Class label of each image, shape (N,).
        groups: Number of the group of each image, integers, shape (N,).
        q: Exponent of the numbers of groups: 1 leaves the classes as they are, 0 balances them.
        length: Images drawn in an epoch; None means as many as there are groups.
        seed: None takes the seed of the run.

    Raises:
        ValueError: `labels` is empty, it or `groups` is not a vector of integers, or `length` is not positive.

    Example:
        >>> labels, groups = torch.tensor([0, 0, 0, 0, 1]), torch.tensor([7, 7, 7, 4, 2])
        >>> sampler = GroupBalanced(labels, groups, seed=0)
        >>> sorted(groups[list(sampler)].tolist())
        [2, 4, 7]
        >>> sampler.image_probability
        tensor([0.1111, 0.1111, 0.1111, 0.3333, 0.3333], dtype=torch.float64)
    """

    def __init__(
        self, labels: Tensor, groups: Tensor, q: float = 1.0, length: int | None = None, seed: int | None = None
    ) -> None:
        super().__init__(labels, seed)
        if groups.shape != labels.shape or groups.is_floating_point():
            raise ValueError(
                f"groups must be {len(labels)} integers, one for each image, but are {tuple(groups.shape)} "
                f"{groups.dtype}."
            )
        _, self.group_of_image, self.group_sizes = groups.unique(return_inverse=True, return_counts=True)
        self.length = len(self.group_sizes) if length is None else self.epoch_length(length)
        self.each_once = q == 1 and self.length == len(self.group_sizes)
        share = 1 / self.group_sizes.double()[self.group_of_image]
        of_class = torch.zeros(len(self.class_sizes), dtype=torch.float64).index_add(0, self.class_of_image, share)
        power = of_class**q
        self.class_probability = power / power.sum()
        if not self.class_probability.isfinite().all():
            raise ValueError(f"q must be an exponent of numbers of groups, such as 0, 0.5 or 1, but is {q:g}.")
        self.image_probability = (self.class_probability / of_class)[self.class_of_image] * share
        self.images_by_group = self.group_of_image.argsort(stable=True)
        self.group_starts = self.group_sizes.cumsum(0) - self.group_sizes

    def __len__(self) -> int:
        return self.length

    def draw(self, generator: torch.Generator) -> Tensor:
        uniform = torch.rand(self.length, generator=generator, dtype=torch.float64)
        if self.each_once:
            group = torch.randperm(self.length, generator=generator)
            return self.images_by_group[self.group_starts[group] + (uniform * self.group_sizes[group]).long()]
        above = self.image_probability.cumsum(0)
        return torch.searchsorted(above, uniform * above[-1], right=True)
