"""Stored features: a frozen network sees the pictures once, its classifier is trained on what it made of them."""

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import torch
from lightning.pytorch.utilities import rank_zero_info
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from lightning_imbal.data.loading.image_dataset import Draw, ImageDataset
from lightning_imbal.seeding import epoch_generator, run_seed

CPU = torch.device("cpu")
Encoder = Callable[[DataLoader[Any]], Tensor]


def draws_of_view(number: int, view: int, devices: int = 1, rank: int = 0) -> list[Draw]:
    """What a device draws to see every picture of a part once in a version.

    Args:
        number: Of pictures.
        view: The number of the version.
        devices: Number of devices that share the work.
        rank: Which of them this is.
    """
    seeds = torch.randint(2**62, (number,), generator=epoch_generator(run_seed(), view)).tolist()
    # Every device gets equally many: the last ones repeat the first pictures.
    places = range(rank, -(-number // devices) * devices, devices)
    return [(place % number, seeds[place % number]) for place in places]


def encoded(
    images: ImageDataset,
    encode: Encoder,
    load: Callable[[ImageDataset, list[Draw]], DataLoader[Any]],
    views: int = 1,
    devices: int = 1,
    rank: int = 0,
) -> Tensor:
    """The features (N, V, D) of every picture in every version, on the CPU.

    What is given up is augmentation: every picture is seen in `views` versions, drawn once, where training on pictures
    draws a new one each time. Without a random augmentation nothing is given up, and one version is enough.

    Args:
        images: The pictures, augmented.
        encode: Turns the loader of this device's share of the pictures into the features (at least N, D) of all
            pictures in order.
        load: Builds that loader from the pictures and the list of draws.
        views: V.
        devices: Number of devices that share the work.
        rank: Which of them this is.
    """
    number = len(images)
    versions = f" in {views} versions each" if views > 1 else ""
    rank_zero_info(f"Computing the features of {number:,} images{versions}: the backbone sees them only once.")
    draws = (draws_of_view(number, view, devices, rank) for view in range(views))
    features = [encode(load(images, each))[:number] for each in draws]
    return torch.stack(features, dim=1) if views > 1 else features[0][:, None]  # without a copy


class FeatureDataset(Dataset[dict[str, Tensor]]):
    """Features of one part's pictures, made when the first of them is needed and kept in memory.

    Args:
        images: The pictures: their labels, and their rows in the sample table.
        make: Returns their features, (N, V, D), on the CPU.
        views: V: how many versions of each picture there are.
        device: Where batches are wanted; features stay there if they fit.
    """

    def __init__(
        self, images: ImageDataset, make: Callable[[], Tensor], views: int = 1, device: torch.device = CPU
    ) -> None:
        self.images, self.make, self.views, self.device = images, make, views, device

    def __len__(self) -> int:
        return len(self.images)

    @cached_property
    def label(self) -> Tensor:
        """Class of every picture, shape (N,)."""
        return torch.from_numpy(self.images.label[self.images.rows])

    @cached_property
    def feature(self) -> Tensor:
        """Features of every picture in every version, shape (N, V, D), on the CPU."""
        return self.make()

    def samples(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """Returns the features (N V, D) of all versions of all pictures and their labels (N V,) on a device."""
        return self.feature.flatten(0, 1).to(device), self.label.repeat_interleave(self.views).to(device)

    @cached_property
    def on_device(self) -> tuple[Tensor, Tensor, Tensor]:
        """Features (N V, D), labels (N,) and rows of the sample table (N,), where batches are cut out of them."""
        feature, rows = self.feature.flatten(0, 1), torch.from_numpy(self.images.rows)
        device = self.device if _fits(feature, self.device) else CPU
        return feature.to(device), self.label.to(device), rows.to(device)

    def leave_device(self) -> None:
        """Frees the memory of the device, which the features take again when batches are asked for."""
        vars(self).pop("on_device", None)

    def batches(self, position: Tensor, seed: Tensor, size: int) -> Iterator[dict[str, Tensor]]:
        """Yields batches of so many draws: feature (B, D), label (B,), index (B,).

        Args:
            position: Drawn pictures of this part, (n,).
            seed: Of each draw, (n,); it chooses the version.
            size: B; the last batch may be smaller.
        """
        feature, label, rows = self.on_device
        version = (position * self.views + seed % self.views).to(feature.device)
        for one, place in zip(version.split(size), position.to(feature.device).split(size), strict=True):
            yield {"feature": feature.index_select(0, one), "label": label[place], "index": rows[place]}


def _fits(feature: Tensor, device: torch.device) -> bool:
    """Whether features may be kept on a device: on a GPU if they take no more than half of what is free there."""
    return device.type == "cuda" and 2 * feature.nbytes <= torch.cuda.mem_get_info(device)[0]
