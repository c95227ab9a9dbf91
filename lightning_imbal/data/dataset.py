"""From a row of the sample table to the batch dict, and from a sampler's list to reproducible draws."""

import random
from collections.abc import Iterator, Sequence
from itertools import islice

import albumentations as A
import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, DistributedSampler, Sampler

from lightning_imbal.seeding import epoch_generator, run_seed

Draw = tuple[int, int]
Item = dict[str, Tensor | int]


class ImageDataset(Dataset):
    """Pictures of one part of a split.

    Args:
        images: Picture of every row of the sample table, uint8 RGB (H, W, 3).
        label: Class of every row, shape (N,).
        rows: Rows of this part.
        recipes: Picture to picture of the network's size, one for each view.
    """

    def __init__(
        self, images: Sequence[np.ndarray], label: np.ndarray, rows: np.ndarray, recipes: Sequence[A.Compose]
    ) -> None:
        self.images, self.label, self.rows, self.recipes = images, label, rows, recipes

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, draw: int | Draw) -> Item:
        """Returns image (3, H, W), or (V, 3, H, W) for V > 1 views, uint8; label; index (row of the sample table).

        Args:
            draw: Position in this part, alone or with the seed of its augmentation.
        """
        position, seed = draw if isinstance(draw, tuple) else (draw, draw)
        # One pair of generators for all views: they must be drawn from independently.
        generators = np.random.default_rng(seed), random.Random(seed)
        row = int(self.rows[position])
        image = self.images[row]
        views = []
        for recipe in self.recipes:
            recipe.set_random_state(*generators)
            channels = cv2.split(recipe(image=image)["image"])  # twice as fast as transposing
            views.append(torch.from_numpy(np.stack(channels)))
        return {
            "image": views[0] if len(views) == 1 else torch.stack(views),
            "label": int(self.label[row]),
            "index": row,
        }


class PairedImages(Dataset):
    """Pictures of one part, each with a second one beside it as `other`.

    Args:
        images: Where both are drawn from; of the second one only the first view is made.
    """

    def __init__(self, images: ImageDataset) -> None:
        self.images = images
        self.others = ImageDataset(images.images, images.label, images.rows, images.recipes[:1])

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, draws: tuple[Draw, Draw]) -> dict[str, Tensor | int | Item]:
        """Returns the item of the first draw, and under `other` that of the second."""
        return self.images[draws[0]] | {"other": self.others[draws[1]]}


class EpochDraws(DistributedSampler):
    """The list of an inner sampler, cut to whole batches, each draw with a seed of its own for the augmentation.

    What an image looks like thus depends on the run's seed, the epoch and the position in the epoch alone: not on the
    number of workers, not on the number of devices, and not on whether the run was interrupted in an earlier epoch.
    Every rank keeps each `num_replicas`-th draw, so that the ranks' k-th batches together are the k-th batch of one
    process. (Lightning's own wrapper would shuffle the list once more; it leaves a DistributedSampler as it is.)

    Args:
        sampler: Yields positions in the training part.
        batch_size: The global batch size. A list shorter than one batch is one batch.
        num_replicas: Number of processes that share the list.
        rank: Which of them this is.
        paired: A second sampler: its k-th draw goes with the k-th of the first, until the shorter list ends.
    """

    def __init__(
        self,
        sampler: Sampler[int],
        batch_size: int,
        num_replicas: int = 1,
        rank: int = 0,
        paired: Sampler[int] | None = None,
    ) -> None:
        super().__init__(sampler, num_replicas, rank, shuffle=False, seed=run_seed())
        self.samplers = [sampler] if paired is None else [sampler, paired]
        length = min(map(len, self.samplers))
        batch = batch_size if length >= batch_size else num_replicas
        self.total_size = length // batch * batch
        self.num_samples = self.total_size // num_replicas

    def set_epoch(self, epoch: int) -> None:
        """Sets the 0-based epoch whose list comes next."""
        super().set_epoch(epoch)
        for sampler in self.samplers:
            if hasattr(sampler, "set_epoch"):
                sampler.set_epoch(epoch)

    def __iter__(self) -> Iterator[Draw | tuple[Draw, Draw]]:
        generator = epoch_generator(self.seed, self.epoch)
        draws = [
            zip(sampler, torch.randint(2**62, (self.total_size,), generator=generator).tolist(), strict=False)
            for sampler in self.samplers
        ]
        return islice(draws[0] if len(draws) == 1 else zip(*draws, strict=False), self.rank, None, self.num_replicas)
