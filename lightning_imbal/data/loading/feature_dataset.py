"""Stored features: a frozen network sees the pictures once, its classifier is trained on what it made of them."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import torch
from lightning.pytorch.utilities import rank_zero_info
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from lightning_imbal.data.loading.image_dataset import Draw, ImageDataset
from lightning_imbal.seeding import epoch_generator, run_seed

Encoder = Callable[[DataLoader[Any]], Tensor]


class FeatureDataset(Dataset[dict[str, Tensor]]):
    """Features of one part's pictures, computed when the first of them is needed and kept in memory.

    What is given up is augmentation: every picture is seen in `views` versions, drawn once, where training on pictures
    draws a new one each time. Without a random augmentation nothing is given up, and one version is enough.

    Args:
        images: The pictures, augmented.
        encode: Turns the loader of this device's share of the pictures into the features (at least N, D) of all
            pictures in order.
        load: Builds that loader from the pictures and the list of draws.
        views: How many versions of each picture are stored.
        devices: Number of devices that share the work.
        rank: Which of them this is.
    """

    def __init__(
        self,
        images: ImageDataset,
        encode: Encoder,
        load: Callable[[ImageDataset, list[Draw]], DataLoader[Any]],
        views: int = 1,
        devices: int = 1,
        rank: int = 0,
    ) -> None:
        self.images, self.encode, self.load = images, encode, load
        self.views, self.devices, self.rank = views, devices, rank

    def __len__(self) -> int:
        return len(self.images)

    @cached_property
    def label(self) -> Tensor:
        """Class of every picture, shape (N,)."""
        return torch.from_numpy(self.images.label[self.images.rows])

    @cached_property
    def feature(self) -> Tensor:
        """Features of every picture in every version, shape (N, V, D), on the CPU."""
        versions = f" in {self.views} versions each" if self.views > 1 else ""
        rank_zero_info(f"Computing the features of {len(self):,} images{versions}: the backbone sees them only once.")
        features = [self.encode(self.load(self.images, self.draws(view))) for view in range(self.views)]
        return torch.stack([feature[: len(self)] for feature in features], dim=1)

    def samples(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """Returns the features (N V, D) of all versions of all pictures and their labels (N V,) on a device."""
        return self.feature.flatten(0, 1).to(device), self.label.repeat_interleave(self.views).to(device)

    def draws(self, view: int) -> list[Draw]:
        """What this device draws to see every picture once in a version."""
        number = len(self)
        seeds = torch.randint(2**62, (number,), generator=epoch_generator(run_seed(), view)).tolist()
        # Every device gets equally many: the last ones repeat the first pictures.
        places = range(self.rank, -(-number // self.devices) * self.devices, self.devices)
        return [(place % number, seeds[place % number]) for place in places]

    def __getitems__(self, draws: Sequence[int | Draw]) -> dict[str, Tensor]:
        """Returns a whole batch: feature (B, D), label (B,), index (B,); the seed of a draw chooses the version."""
        position, seed = torch.tensor([draw if isinstance(draw, tuple) else (draw, 0) for draw in draws]).T
        return {
            "feature": self.feature[position, seed % self.views],
            "label": self.label[position],
            "index": torch.from_numpy(self.images.rows)[position],
        }
