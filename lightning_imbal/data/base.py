"""ImbalDataModule: index, splits, samplers, loaders and class counts, written once for every data set."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import albumentations as A
import numpy as np
import pandas as pd
from lightning.pytorch import LightningDataModule
from torch.utils.data import DataLoader, Dataset, Sampler

from lightning_imbal.data.index.find_files import find_files
from lightning_imbal.data.loading.epoch_draws import EpochDraws
from lightning_imbal.data.loading.feature_dataset import Encoder, FeatureDataset
from lightning_imbal.data.loading.folder import folder_dataset
from lightning_imbal.data.loading.image_dataset import Draw, ImageDataset, PairedImages
from lightning_imbal.data.loading.loaders import device_share, first_epoch, image_loader
from lightning_imbal.data.loading.samplers import SamplerFactory, build_samplers
from lightning_imbal.data.normalize import IMAGENET_MEAN, IMAGENET_STD, Normalize
from lightning_imbal.data.pictures.open import CACHE_DIR, Cache, OnBadImage, open_images, refuse_absent
from lightning_imbal.data.recipes import Squash, TransformFactory
from lightning_imbal.data.sample_table import check_index, count_training_images, sample_table
from lightning_imbal.data.splits.base import Split
from lightning_imbal.data.splits.groups import group_ids
from lightning_imbal.data.splits.holdout import Holdout
from lightning_imbal.samplers.class_power import ClassPower


class ImbalDataModule(LightningDataModule, ABC):
    """A data set with its split. A child says its class names and reads its index.

    Args:
        root: Folder of the data set.
        split: How images are divided into train, val and test; None is the split that the class's docstring names, a
            stratified 7:3 holdout if it names none.
        group_by: Keeps all images of one group (`lesion`, `patient`) on the same side of the split.
        class_groups: Groups of classes whose mean recall and F1 are reported, such as major / middle / minor;
            None puts the largest, middle and smallest third of the classes together.
        sampler: Built with the labels (N,) of the training part, yields positions in it.
        paired_sampler: Built likewise; draws a second image for each one of `sampler`, which a batch holds as `other`.
        batch_size: Global batch size; each of D devices gets batch_size / D images.
        image_size: Side of the square that the network is trained on, in pixels.
        train_transform: Built with `image_size`; the training augmentation.
        test_transform: Built with `image_size`; the same for every image.
        mean: Mean that is subtracted per RGB channel, pixels in 0..1. A checkpoint keeps those it was trained with.
        std: Standard deviation that is divided by per RGB channel, pixels in 0..1.
        views: Number of views of each training image by `train_transform`.
        more_views: Built with `image_size`; the augmentation of each further view, where it is another one.
        short_side: Larger pictures are reduced to it when they are read, in pixels; None is twice `image_size`.
        cache: `memory` decodes every picture once per run; `disk` once and for all, as `lightning_imbal prepare` does.
        cache_dir: Folder of the disk caches.
        on_bad_image: `raise` stops at a picture that is absent or cannot be read; `skip` opens all pictures before
            training, and leaves out and reports the bad ones.
        num_workers: Processes that prepare batches; None shares the CPU cores out, at most 8 per device.
    """

    class_names: tuple[str, ...]
    group_name: str | None = None
    default_split: Split = Holdout()
    official_counts: Sequence[int] | None = None

    def __init__(
        self,
        root: str,
        split: Split | None = None,
        group_by: str | None = None,
        class_groups: dict[str, list[str]] | None = None,
        sampler: SamplerFactory = ClassPower,
        paired_sampler: SamplerFactory | None = None,
        batch_size: int = 32,
        image_size: int = 224,
        train_transform: TransformFactory = Squash,
        test_transform: TransformFactory = Squash,
        mean: tuple[float, float, float] = IMAGENET_MEAN,
        std: tuple[float, float, float] = IMAGENET_STD,
        views: int = 1,
        more_views: list[TransformFactory] | None = None,
        short_side: int | None = None,
        cache: Cache = "none",
        cache_dir: str = CACHE_DIR,
        on_bad_image: OnBadImage = "raise",
        num_workers: int | None = None,
    ) -> None:
        super().__init__()
        self.root = Path(root).expanduser()
        self.split, self.group_by, self.class_groups = split or self.default_split, group_by, class_groups
        self.sampler, self.paired_sampler, self.batch_size = sampler, paired_sampler, batch_size
        self.train_recipes = [recipe(image_size) for recipe in [train_transform] * views + (more_views or [])]
        self.test_recipe = test_transform(image_size)
        self.normalize = Normalize(mean, std)
        self.short_side, self.cache, self.cache_dir = short_side or 2 * image_size, cache, cache_dir
        self.on_bad_image, self.num_workers = on_bad_image, num_workers
        self.stored: dict[str, FeatureDataset] = {}

    @abstractmethod
    def read_index(self) -> pd.DataFrame:
        """Reads the labels, never a picture.

        Returns:
            One row per image: `image` (its id), `path` (folder/file, absent if `read_images` does not need it), `label`
            (0-based) and, where known, `group` (empty: on its own), `official` (train, val, test) and `fold`.
        """

    def read_images(self) -> Sequence[np.ndarray]:
        """Returns the picture of every row of the index, uint8 RGB (H, W, 3)."""
        place = (self.cache_dir, type(self).__name__)
        return open_images(self.index["path"], self.short_side, self.cache, *place, self.on_bad_image)

    def subsample(self, label: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Chooses the training rows to keep: all, unless a child simulates an imbalance."""
        return rows

    def check_source(self) -> list[str]:
        """Complaints about the files of the data set that only `lightning_imbal prepare` takes the time to find."""
        return []

    @cached_property
    def index(self) -> pd.DataFrame:
        """What `read_index` returns, checked: no image twice, no label outside the classes, no file absent."""
        index, owner = self.read_index().reset_index(drop=True), type(self).__name__
        check_index(index, self.class_names, owner)
        if self.on_bad_image == "raise" and "path" in index:
            refuse_absent(index["path"], owner)
        return index

    @cached_property
    def images(self) -> Sequence[np.ndarray]:
        """Pictures by row of the index, read when first needed."""
        return self.read_images()

    @cached_property
    def table(self) -> pd.DataFrame:
        """The index, each row's `class` by name, and its `part`: train, val, test, unreadable, or empty: left out."""
        bad = getattr(self.images, "bad", {}) if self.on_bad_image == "skip" else {}
        part = self.split.part_of_rows(self.index, self.groups)
        return sample_table(self.index, part, bad, self.subsample, self.class_names)

    @property
    def class_counts(self) -> list[int]:
        """Class sizes of the training part, ordered by label."""
        return count_training_images(self.labels_of("train"), self.class_names)

    @cached_property
    def groups(self) -> np.ndarray | None:
        """The group of every row of the index that the split keeps together; None if it splits image by image."""
        return group_ids(self.index, self.group_by, self.group_name, type(self).__name__)

    def share_images(self, other: "ImbalDataModule") -> None:
        """Takes over the pictures that another stage has already decoded, if they are the same."""
        decoded = "images" in vars(other) and type(other) is type(self)
        same = decoded and (other.root, other.cache, other.short_side) == (self.root, self.cache, self.short_side)
        if same and self.index.equals(other.index):
            self.images = other.images

    def rows(self, part: str) -> np.ndarray:
        """Row numbers of a part in the sample table."""
        return np.flatnonzero(self.table["part"] == part)

    def labels_of(self, part: str) -> np.ndarray:
        """Class of every row of a part."""
        return self.table["label"].to_numpy()[self.rows(part)]

    @property
    def _share(self) -> tuple[int, int]:
        """How many devices share the work, and which of them this is."""
        return (self.trainer.world_size, self.trainer.global_rank) if self.trainer else (1, 0)

    def prepare_data(self) -> None:
        """Builds the disk cache, in one process, if it is wanted and not there."""
        if self.cache == "disk":
            _ = self.images

    def setup(self, stage: str) -> None:
        """Refuses a batch size that the devices cannot share, before anything is read."""
        device_share(self.batch_size, self._share[0])

    def train_samplers(self) -> list[Sampler[int]]:
        """Builds the sampler of the training part, and the one that is paired with it, if there is one.

        Raises:
            UserError: One of them refuses its arguments, or composes batches of another size.
        """
        factories = [self.sampler, self.paired_sampler] if self.paired_sampler else [self.sampler]
        max_epochs = self.trainer.max_epochs if self.trainer else None
        return build_samplers(factories, self.labels_of("train"), self.batch_size, max_epochs)

    def train_dataloader(self) -> DataLoader:
        """Loads augmented training images in the order of the sampler, or their stored features."""
        sampler, *paired = self.train_samplers()
        draws = EpochDraws(sampler, self.batch_size, *self._share, *paired)
        draws.set_epoch(first_epoch(self.trainer))
        if "train" in self.stored:
            return self._loader(self.stored["train"], draws)
        images = self.dataset("train", self.train_recipes)
        return self._loader(PairedImages(images) if paired else images, draws)

    def store_features(self, encode: Encoder, views: int, val: bool = True) -> None:
        """From now on, batches of the training part, and of the validation part, hold a `feature` (B, D), no `image`.

        Args:
            encode: As for `FeatureDataset`.
            views: Versions that are stored of each training image.
            val: Whether to store features of the validation part.
        """
        parts = [("train", self.train_recipes[0], views)] + val * [("val", self.test_recipe, 1)]
        for part, recipe, versions in parts:
            images = self.dataset(part, [recipe])
            self.stored[part] = FeatureDataset(images, encode, self._loader, versions, *self._share)

    def val_dataloader(self) -> DataLoader | list:
        """Loads the validation part; no loader if the split has none."""
        return self._evaluation_loader("val")

    def test_dataloader(self) -> DataLoader | list:
        """Loads the test part."""
        return self._evaluation_loader("test")

    def _evaluation_loader(self, part: str) -> DataLoader | list:
        dataset = self.stored[part] if part in self.stored else self.dataset(part, [self.test_recipe])
        return self._loader(dataset) if len(dataset) else []

    def dataset(self, part: str, recipes: list[A.Compose]) -> ImageDataset:
        """The pictures of a part, in one view for each recipe."""
        rows = self.rows(part)
        return ImageDataset(self.images if len(rows) else [], self.table["label"].to_numpy(), rows, recipes)

    def _loader(self, dataset: Dataset, sampler: Sampler | list[Draw] | None = None) -> DataLoader:
        return image_loader(dataset, self.batch_size, self.num_workers, self._share[0], sampler)

    def predict_folder(self, folder: str | Path) -> list[Path]:
        """Makes all pictures below a folder what is predicted, in the order of the files that it returns."""
        self.predicted, files = folder_dataset(folder, self.test_recipe, self.short_side)
        return files

    def predict_dataloader(self) -> DataLoader:
        """Loads the pictures that `predict_folder` was given; the index of a batch is the file's number."""
        return self._loader(self.predicted)

    def on_after_batch_transfer(self, batch: dict, dataloader_idx: int) -> dict:
        """Normalises on the device: on the way there, uint8 takes a quarter of the space."""
        return self.normalize.batch(batch, self.trainer.lightning_module.dtype)

    def find(self, needed: dict[str, list[str]], source: str) -> dict[str, Path]:
        """Finds files of the data set below `root`: see `data.index.find_files.find_files`."""
        return find_files(self.root, needed, type(self).__name__, source)
