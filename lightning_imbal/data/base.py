"""ImbalDataModule: splits, samplers, loaders and class counts, written once for every data set."""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Literal

import albumentations as A
import cv2
import numpy as np
import pandas as pd
import torch
from albumentations.pytorch import ToTensorV2
from lightning.pytorch import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader, Sampler

from lightning_imbal.data.cache import ImageFiles, MemoryCache
from lightning_imbal.data.dataset import EpochDraws, ImageDataset
from lightning_imbal.data.splits import Holdout, Split
from lightning_imbal.data.transforms import IMAGENET_MEAN, IMAGENET_STD, Squash, TransformFactory
from lightning_imbal.errors import DatasetNotFoundError, UserError
from lightning_imbal.samplers import ClassPower

SamplerFactory = Callable[[Tensor], Sampler]
IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"}


class ImbalDataModule(LightningDataModule, ABC):
    """A data set with its split. A child says its class names and reads its index.

    Args:
        root: Folder of the data set.
        split: How images are divided into train, val and test; a stratified 7:3 holdout if None.
        group_by: Keeps all images of one group (`lesion`, `patient`) on the same side of the split.
        class_groups: Groups of classes whose mean recall and F1 are reported, such as major / middle / minor;
            None puts the largest, middle and smallest third of the classes together.
        sampler: Built with the labels (N,) of the training part, yields positions in it.
        batch_size: Global batch size; each of D devices gets batch_size / D images.
        image_size: Side of the square that the network is trained on, in pixels.
        train_transform: Built with `image_size`; the training augmentation.
        test_transform: Built with `image_size`; the same for every image.
        mean: Mean that is subtracted per RGB channel, pixels in 0..1.
        std: Standard deviation that is divided by per RGB channel, pixels in 0..1.
        views: Number of augmented views of each training image.
        cache: `memory` decodes every picture once, reduced to a short side of twice `image_size`.
        num_workers: Processes that prepare batches; None shares the CPU cores out, at most 8 per device.
    """

    class_names: tuple[str, ...]
    group_name: str | None = None

    def __init__(
        self,
        root: str,
        split: Split | None = None,
        group_by: str | None = None,
        class_groups: dict[str, list[str]] | None = None,
        sampler: SamplerFactory = ClassPower,
        batch_size: int = 32,
        image_size: int = 224,
        train_transform: TransformFactory = Squash,
        test_transform: TransformFactory = Squash,
        mean: tuple[float, float, float] = IMAGENET_MEAN,
        std: tuple[float, float, float] = IMAGENET_STD,
        views: int = 1,
        cache: Literal["none", "memory"] = "none",
        num_workers: int | None = None,
    ) -> None:
        super().__init__()
        self.root = Path(root).expanduser()
        self.split, self.group_by, self.class_groups = split or Holdout(), group_by, class_groups
        self.sampler, self.batch_size, self.views = sampler, batch_size, views
        self.image_size, self.cache = image_size, cache
        self.num_workers = num_workers
        normalize = [A.Normalize(mean, std), ToTensorV2()]
        self.train_transform = A.Compose([train_transform(image_size), *normalize])
        self.test_transform = A.Compose([test_transform(image_size), *normalize])

    @abstractmethod
    def read_index(self) -> pd.DataFrame:
        """Reads the labels, never a picture.

        Returns:
            One row per image: `image` (its id), `path` (absent if `read_images` does not need it), `label` (0-based)
            and, where known, `group`.
        """

    def read_images(self) -> Sequence[np.ndarray]:
        """Returns the picture of every row of the sample table, uint8 RGB (H, W, 3)."""
        files = ImageFiles(self.table["path"].tolist())
        return files if self.cache == "none" else MemoryCache(files, 2 * self.image_size)

    @cached_property
    def table(self) -> pd.DataFrame:
        """The sample table: the index with a column `part` (train, val, test, or empty for rows left out)."""
        table = self.read_index().reset_index(drop=True)
        if self.group_by not in (None, self.group_name):
            known = f"only by {self.group_name}" if self.group_name else "not grouped"
            raise UserError(f"{type(self).__name__} cannot be split by {self.group_by!r}: its images are {known}.")
        group = table["group"].to_numpy() if self.group_by else None
        parts = self.split(table["label"].to_numpy(), group)
        parts["train"] = self.subsample(table["label"].to_numpy(), parts["train"])
        table["part"] = ""
        for name, rows in parts.items():
            table.loc[rows, "part"] = name
        return table

    def subsample(self, label: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Chooses the training rows to keep: all, unless a child simulates an imbalance."""
        return rows

    @property
    def class_counts(self) -> list[int]:
        """Class sizes of the training part, ordered by label."""
        label = self._labels("train")
        counts = np.bincount(label, minlength=len(self.class_names))
        if (counts == 0).any():
            empty = ", ".join(np.array(self.class_names)[counts == 0])
            raise UserError(
                f"The training part has no image of: {empty}. Choose another split, or leave the class out."
            )
        return counts.tolist()

    @cached_property
    def images(self) -> Sequence[np.ndarray]:
        """Pictures by row of the sample table, read when first needed."""
        return self.read_images()

    def share_images(self, other: "ImbalDataModule") -> None:
        """Takes over the pictures that another stage has already decoded, if they are the same."""
        same = (type(other), other.root, other.cache, other.image_size)
        if "images" in vars(other) and same == (type(self), self.root, self.cache, self.image_size):
            self.images = other.images

    def rows(self, part: str) -> np.ndarray:
        """Row numbers of a part in the sample table."""
        return np.flatnonzero(self.table["part"] == part)

    def _labels(self, part: str) -> np.ndarray:
        return self.table["label"].to_numpy()[self.rows(part)]

    @property
    def _device_batch_size(self) -> int:
        if self.batch_size % self._devices:
            raise UserError(
                f"A batch of {self.batch_size} images cannot be shared by {self._devices} devices: "
                f"set data.batch_size to a multiple of {self._devices}."
            )
        return self.batch_size // self._devices

    def setup(self, stage: str) -> None:
        """Refuses a batch size that the devices cannot share, before anything is read."""
        _ = self._device_batch_size

    @property
    def _devices(self) -> int:
        return self.trainer.world_size if self.trainer else 1

    def _loader(self, dataset: ImageDataset, sampler: Sampler | None = None) -> DataLoader:
        cores_per_device = max((os.cpu_count() or 1) // self._devices, 1)
        num_workers = min(cores_per_device, 8) if self.num_workers is None else self.num_workers
        return DataLoader(
            dataset,
            batch_size=self._device_batch_size,
            sampler=sampler,
            num_workers=num_workers,
            persistent_workers=num_workers > 0,
            pin_memory=torch.cuda.is_available(),
            worker_init_fn=_one_thread,
        )

    def train_dataloader(self) -> DataLoader:
        """Loads augmented training images in the order of the sampler."""
        sampler = self.sampler(torch.from_numpy(self._labels("train")))
        rank = self.trainer.global_rank if self.trainer else 0
        draws = EpochDraws(sampler, self.batch_size, self._devices, rank)
        return self._loader(self._dataset("train", self.train_transform, self.views), draws)

    def val_dataloader(self) -> DataLoader | list:
        """Loads the validation part; no loader if the split has none."""
        return self._evaluation_loader("val")

    def test_dataloader(self) -> DataLoader | list:
        """Loads the test part."""
        return self._evaluation_loader("test")

    def _evaluation_loader(self, part: str) -> DataLoader | list:
        dataset = self._dataset(part, self.test_transform)
        return self._loader(dataset) if len(dataset) else []

    def _dataset(self, part: str, transform: A.Compose, views: int = 1) -> ImageDataset:
        rows = self.rows(part)
        return ImageDataset(self.images if len(rows) else [], self.table["label"].to_numpy(), rows, transform, views)

    def folder_dataloader(self, folder: str | Path) -> tuple[DataLoader, list[Path]]:
        """Loads all pictures below a folder as the test part would be; the index of a batch is the file's number."""
        files = sorted(f for f in Path(folder).expanduser().rglob("*") if f.suffix.lower() in IMAGE_SUFFIXES)
        if not files:
            raise UserError(
                f"No images below {folder}: looked for files ending in {', '.join(sorted(IMAGE_SUFFIXES))}."
            )
        nothing = np.zeros(len(files), dtype=int)
        dataset = ImageDataset(ImageFiles([str(f) for f in files]), nothing, np.arange(len(files)), self.test_transform)
        return self._loader(dataset), files

    def find(self, needed: dict[str, list[str]], source: str) -> dict[str, Path]:
        """Finds the files of a data set below `root`.

        Args:
            needed: Per file or folder, the places relative to `root` where it may lie.
            source: Where to get the data set.

        Raises:
            DatasetNotFoundError: Something is missing; the message lists all that was looked for.
        """
        found = {
            name: next((self.root / place for place in places if (self.root / place).exists()), None)
            for name, places in needed.items()
        }
        missing = [needed[name][0] for name, path in found.items() if path is None]
        if missing:
            raise DatasetNotFoundError(
                f"{type(self).__name__} not found: {self.root.absolute()} has no {', no '.join(missing)}. "
                f"Get them from {source} and unpack them there, or give the folder that holds them with --data.root."
            )
        return found


def _one_thread(worker: int) -> None:
    """Loader processes already use every core: OpenCV must not start threads in each of them."""
    cv2.setNumThreads(0)
