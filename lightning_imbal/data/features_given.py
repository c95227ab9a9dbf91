"""What a DataModule gives instead of pictures: features, computed for this training or stored before."""

from collections.abc import Callable
from functools import cached_property, partial
from typing import Any

import albumentations as A
import torch
from lightning.pytorch import Trainer
from torch import Tensor
from torch.utils.data import DataLoader, Sampler

from lightning_imbal.data.depth import DepthOfData
from lightning_imbal.data.features.facts import PICTURES, Facts, about, sizes_digest
from lightning_imbal.data.features.stored import StoredFeatures
from lightning_imbal.data.labelled_images import LabelledImages
from lightning_imbal.data.loading.feature_dataset import CPU, Encoder, FeatureDataset, draws_of_view, encoded
from lightning_imbal.data.loading.image_dataset import Draw, ImageDataset
from lightning_imbal.data.loading.loaders import Loadable, image_loader, share_of_work
from lightning_imbal.data.normalize import Normalize
from lightning_imbal.data.splits.base import PARTS
from lightning_imbal.errors import UserError
from lightning_imbal.runs.identity import split_digest
from lightning_imbal.seeding import run_seed


class GivesFeatures(LabelledImages):
    """The part of `ImbalDataModule` that puts features in the place of pictures."""

    trainer: Trainer | None
    features: str | None
    image_size: int
    batch_size: int
    num_workers: int | None
    normalize: Normalize
    train_recipes: list[A.Compose]
    test_recipe: A.Compose
    stored: dict[str, FeatureDataset]
    whole_batches: bool

    @cached_property
    def stored_features(self) -> StoredFeatures:
        """What was stored, where `features` is given."""
        return StoredFeatures(self.features or "")

    def dataset(self, part: str, recipes: list[A.Compose]) -> ImageDataset:
        """The pictures of a part, in one view for each recipe."""
        rows = self.rows(part)
        return ImageDataset(self.images if len(rows) else [], self.table["label"].to_numpy(), rows, recipes)

    def loader(self, dataset: Loadable, sampler: Sampler[Any] | list[Draw] | None = None) -> DataLoader[Any]:
        """Loads so many images at a time, every one once in order or as a sampler draws them."""
        return image_loader(dataset, self.batch_size, self.num_workers, share_of_work(self.trainer)[0], sampler)

    def store_features(self, encode: Encoder, views: int, val: bool = True, whole_batches: bool = False) -> None:
        """From now on, batches of the training part, and of the validation part, hold a `feature` (B, D), no `image`.

        Args:
            encode: As for `encoded`.
            views: Versions that are stored of each training image.
            val: Whether to store features of the validation part.
            whole_batches: Whether a batch of training is all that is drawn in an epoch, whatever `batch_size` is.
        """
        self.whole_batches = whole_batches
        device, share = self.trainer.strategy.root_device if self.trainer else CPU, share_of_work(self.trainer)
        parts = [("train", self.train_recipes[0], views)] + val * [("val", self.test_recipe, 1)]
        for part, recipe, versions in parts:
            images = self.dataset(part, [recipe])
            make = partial(encoded, images, encode, self.loader, versions, *share)
            self.stored[part] = FeatureDataset(images, make, versions, device)

    def read_features(self, views: int | None, whole_batches: bool = False) -> None:
        """From now on, batches of every part hold a `feature` (B, D) that was stored before, no `image`.

        Args:
            views: Versions of each training image, the first ones; None: all that are stored.
            whole_batches: As for `store_features`.
        """
        self.whole_batches = whole_batches
        device = self.trainer.strategy.root_device if self.trainer else CPU
        for part in PARTS:
            versions = self.versions(views) if part == "train" else 1
            rows = ImageDataset([], self.table["label"].to_numpy(), self.rows(part), [])  # no picture is opened
            self.stored[part] = FeatureDataset(rows, partial(self._features_on_disk, part, versions), versions, device)

    def _features_on_disk(self, part: str, views: int) -> Tensor:
        """The first versions of the stored features of a part, (N, V, D), mapped from the file."""
        return torch.from_numpy(self.stored_features.array(part))[:, :views]

    def features_facts(self, views: int = 0) -> Facts:
        """What the data say of features that are stored of them.

        Args:
            views: Augmented versions of each training picture; 0: the pictures as they are tested.
        """
        facts = {
            "data": type(self).__name__,
            "root": str(self.root),
            "split": split_digest(self.table),
            "image_size": self.image_size,
            "short_side": self.short_side,
            "test_recipe": repr(self.test_recipe),
            "mean": self.normalize.mean.flatten().tolist(),
            "std": self.normalize.std.flatten().tolist(),
            "depth": self.depth.asked.settings,
            "views": views,
        }
        if not self.files.empty:
            files = {part: self.files.iloc[self.rows(part)] for part in PARTS}
            facts[PICTURES] = {part: sizes_digest(of) for part, of in files.items() if len(of)}
        return facts | ({"train_recipe": repr(self.train_recipes[0]), "seed": run_seed()} if views else {})

    def versions(self, views: int | None) -> int:
        """How many stored versions of a training image there are to use.

        Args:
            views: How many are wanted; None: all.

        Raises:
            UserError: More are wanted than are stored.
        """
        stored = self.stored_features.facts["views"] or 1
        if views is not None and views > stored:
            raise UserError(
                f"model.cache_views is {views}, but {self.features} has {stored} of each training picture: leave it "
                f"out, or store more with `lightning_imbal features` and --views {views}."
            )
        return views or stored

    def forget_features(self) -> None:
        """From now on, batches hold images again."""
        for part in self.stored.values():
            part.leave_device()  # the Trainer keeps the loader
        self.stored, self.whole_batches = {}, False

    def loader_to_encode(self, part: str, view: int | None = None) -> DataLoader[Any]:
        """Loads every picture of a part once, in order, on one device.

        Args:
            part: train, val or test.
            view: The number of an augmented version; None: the picture as it is tested.
        """
        pictures = self.dataset(part, [self.test_recipe if view is None else self.train_recipes[0]])
        return self.loader(pictures, None if view is None else draws_of_view(len(pictures), view))

    def check_features(self, network: dict[str, Any]) -> None:
        """Refuses stored features of other images, of another split, recipe or network.

        Args:
            network: What is known of the network that wants them.

        Raises:
            UserError: The message names what is another.
        """
        self.stored_features.check(self.features_facts() | network, self.table, locked=self.lock_test)

    @property
    def features_identity(self) -> dict[str, Any]:
        """What results that are made of stored features say of them; empty if pictures are looked at."""
        return {"features": about(self.stored_features.facts) | {"folder": self.features}} if self.features else {}


class DepthOfFeatures(DepthOfData):
    """How pictures of more than 8 bits were read before their features were stored; no file is looked at.

    Args:
        asked: What is asked for now.
        stored: The features.
    """

    def __init__(self, asked: DepthOfData, stored: Callable[[], StoredFeatures]) -> None:
        super().__init__(asked.asked, asked.files, asked.cache_dir, asked.name)
        self.stored = stored

    @property
    def said(self) -> list[str]:
        return []

    @property
    def kept(self) -> dict[str, Any]:
        return self.stored().facts["deep"]["kept"]

    @property
    def identity(self) -> dict[str, Any]:
        return self.stored().facts["deep"]["identity"]
