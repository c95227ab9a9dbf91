"""ImbalDataModule: settings, samplers and loaders, written once for every data set."""

from collections.abc import Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from lightning.pytorch import LightningDataModule
from torch.utils.data import DataLoader, Sampler

from lightning_imbal.contract import Batch
from lightning_imbal.data.features_given import DepthOfFeatures, GivesFeatures
from lightning_imbal.data.index.attributes import Encoding
from lightning_imbal.data.index.spellings import Written, as_labels
from lightning_imbal.data.labelled_images import LabelledImages
from lightning_imbal.data.loading.batch_metadata import BatchMetadata
from lightning_imbal.data.loading.colour import leave_to_device
from lightning_imbal.data.loading.epoch_draws import EpochDraws
from lightning_imbal.data.loading.feature_dataset import FeatureDataset
from lightning_imbal.data.loading.folder import folder_dataset
from lightning_imbal.data.loading.image_dataset import ImageDataset, PairedImages
from lightning_imbal.data.loading.loaders import device_share, first_epoch, image_loader, share_of_work
from lightning_imbal.data.loading.samplers import SamplerFactory, build_samplers
from lightning_imbal.data.normalize import Normalize
from lightning_imbal.data.pictures.given import GivenPictures, Picture
from lightning_imbal.data.pictures.grey_levels import Depth, reading_of
from lightning_imbal.data.pictures.open import CACHE_DIR, Cache, OnBadImage
from lightning_imbal.data.recipes import Squash, TransformFactory
from lightning_imbal.data.splits.base import Split
from lightning_imbal.errors import UserError, refuse_below
from lightning_imbal.factories.build import build
from lightning_imbal.samplers.class_power import ClassPower

LARGEST = 8192  # side of a picture; a batch of larger ones fits nowhere


class ImbalDataModule(GivesFeatures, LightningDataModule):
    """A data set with its split. A child says its class names and reads its index.

    Args:
        root: Folder of the data set.
        split: How images are divided into train, val and test; None is the split that the class's docstring names, a
            stratified 7:3 holdout if it names none.
        group_by: Keeps all images of one group (`lesion`, `patient`) on the same side of the split. `duplicates` keeps
            those together that show the same photograph, and with them the groups that are known.
        class_groups: Groups of classes whose mean recall and F1 are reported, such as major / middle / minor;
            None puts the largest, middle and smallest third of the classes together.
        sampler: Built with the labels (N,) of the training part, and with its groups where it asks for them; yields
            positions in it.
        paired_sampler: Built likewise; draws a second image for each one of `sampler`, which a batch holds as `other`.
        batch_size: Global batch size; each of D devices gets batch_size / D images.
        image_size: Side of the square that the network is trained on, in pixels.
        train_transform: Built with `image_size`; the training augmentation.
        test_transform: Built with `image_size`; the same for every image.
        mean: Mean that is subtracted per RGB channel, pixels in 0..1; null is that which the weights of the network
            were trained with, ImageNet's without weights. A checkpoint keeps those it was trained with.
        std: Standard deviation that is divided by per RGB channel, pixels in 0..1; null as for the mean.
        views: Number of views of each training image by `train_transform`.
        more_views: Built with `image_size`; the augmentation of each further view, where it is another one.
        colour_on_device: Training pictures change their colours on the device, batch by batch, as their recipes have
            drawn it: those of recipes that change them last, `ImageNetCrop`, `FlipJitter` and `ScaleShiftRotate`.
        short_side: Larger pictures are reduced to it when they are read, in pixels; None is twice `image_size`.
        cache: `memory` decodes every picture once per run; `disk` once and for all, as `lightning_imbal prepare` does.
        cache_dir: Folder of the disk caches.
        on_bad_image: `raise` stops at a picture that is absent or cannot be read; `skip` opens all pictures before
            training, and leaves out and reports the bad ones.
        depth: Which values of pictures of more than 8 bits are black and white: `auto`, what a DICOM file says, else
            the smallest and the largest of the data set, which a checkpoint keeps; two values; or
            `{percentile: [0.5, 99.5]}` of each picture by itself. Pictures of 8 bits stay as they are.
        window: Centre and width of what is seen of a DICOM file; None is its own window, else all its stored bits.
        bits: Of the pictures that training sees: 16 keeps more of the contrast of deep ones, and takes more time.
        num_workers: Processes that prepare batches; None shares the CPU cores out, at most 8 per device.
        metadata_columns: Attributes of the images, such as `[sex, age]` or `sex,age`: columns of the label file, or
            headers of DICOM files (`dicom:PatientSex`). `split.csv` and the predictions keep them; what is not named
            here is copied nowhere.
        features: Folder that `lightning_imbal features` has filled: batches hold these features of a frozen backbone,
            and no picture is opened.
        lock_test: Leaves out the test part: nothing opens its pictures, and results are those of the validation part.
    """

    def __init__(
        self,
        root: str,
        split: Split | None = None,
        group_by: str | None = None,
        class_groups: dict[str, list[Written]] | None = None,
        sampler: SamplerFactory = ClassPower,
        paired_sampler: SamplerFactory | None = None,
        batch_size: int = 32,
        image_size: int = 224,
        train_transform: TransformFactory = Squash,
        test_transform: TransformFactory = Squash,
        mean: tuple[float, float, float] | None = None,
        std: tuple[float, float, float] | None = None,
        views: int = 1,
        more_views: list[TransformFactory] | None = None,
        colour_on_device: bool = False,
        short_side: int | None = None,
        cache: Cache = "none",
        cache_dir: str = CACHE_DIR,
        on_bad_image: OnBadImage = "raise",
        depth: Depth = "auto",
        window: tuple[float, float] | str | None = None,
        bits: Literal[8, 16] = 8,
        num_workers: int | None = None,
        metadata_columns: list[str] | str | None = None,
        features: str | None = None,
        lock_test: bool = False,
    ) -> None:
        LightningDataModule.__init__(self)
        refuse_below(1, batch_size=batch_size, image_size=image_size, views=views, short_side=short_side)
        refuse_below(0, num_workers=num_workers)
        if image_size > LARGEST:
            raise UserError(f"image_size is {image_size}: pictures can have at most {LARGEST} pixels a side.")
        short_side = short_side or 2 * image_size
        asked = reading_of(depth, window, bits)
        cached = (short_side, cache, cache_dir, on_bad_image)
        LabelledImages.__init__(self, root, split, group_by, *cached, asked, metadata_columns, lock_test)
        self.features = features
        if features is not None:
            self.depth = DepthOfFeatures(self.depth, lambda: self.stored_features)
        self.given_groups, self.batch_size, self.num_workers = class_groups, batch_size, num_workers
        self.image_size, self.sampler, self.paired_sampler = image_size, sampler, paired_sampler
        recipes = [*[train_transform] * views, *(more_views or []), test_transform]
        *self.train_recipes, self.test_recipe = (build(recipe, size=image_size) for recipe in recipes)
        for recipe in self.train_recipes if colour_on_device else []:
            leave_to_device(recipe)
        self.normalize = Normalize(mean, std)
        self.stored: dict[str, FeatureDataset] = {}
        self.whole_batches = False
        self.predicted: ImageDataset | None = None
        self.tested: Literal["test", "val"] = "test"
        self.batch_metadata: BatchMetadata | None = None

    @cached_property
    def class_groups(self) -> dict[str, list[str]] | None:
        """The classes of each group by their names; None if no groups were given."""
        if self.given_groups is None:
            return None
        return {str(group): as_labels(members, self.class_names) for group, members in self.given_groups.items()}

    @property
    def left_out(self) -> dict[int, str]:
        """Why a picture is left out, by row of the index; of stored features, those that could not be read then."""
        return super().left_out if self.features is None else self.stored_features.unreadable(self.index["image"])

    def prepare_data(self) -> None:
        """Builds the disk cache, in one process, if it is wanted and not there."""
        if self.cache == "disk" and self.features is None:
            _ = self.images

    def setup(self, stage: str) -> None:
        """Refuses a batch size that the devices cannot share, before anything is read."""
        device_share(self.batch_size, share_of_work(self.trainer)[0])

    def train_samplers(self) -> list[Sampler[int]]:
        """Builds the sampler of the training part, and the one that is paired with it, if there is one.

        Raises:
            UserError: One of them refuses its arguments, or composes batches of another size.
        """
        factories = [self.sampler, self.paired_sampler] if self.paired_sampler else [self.sampler]
        max_epochs = self.trainer.max_epochs if self.trainer else None
        labels, groups = self.labels_of("train"), self.groups_of("train")
        return build_samplers(factories, labels, self.batch_size, max_epochs, groups)

    def train_dataloader(self) -> DataLoader[Any]:
        """Loads augmented training images in the order of the sampler, or their stored features."""
        sampler, *paired = self.train_samplers()
        devices, rank = share_of_work(self.trainer)
        # A batch of all that is drawn, as far as the devices can share it.
        batch_size = len(sampler) // devices * devices if self.whole_batches else self.batch_size  # type: ignore[arg-type]  # a sampler has a length
        draws = EpochDraws(sampler, batch_size, devices, rank, *paired)
        draws.set_epoch(first_epoch(self.trainer))
        if "train" in self.stored:
            return image_loader(self.stored["train"], batch_size, self.num_workers, devices, draws)
        images = self.dataset("train", self.train_recipes)
        return self.loader(PairedImages(images) if paired else images, draws)

    def val_dataloader(self) -> DataLoader[Any] | list[Any]:
        """Loads the validation part; no loader if the split has none."""
        return self._evaluation_loader("val")

    def test_dataloader(self) -> DataLoader[Any] | list[Any]:
        """Loads the part that is tested: `tested`, by default the test part."""
        return self._evaluation_loader(self.tested)

    def _evaluation_loader(self, part: str) -> DataLoader[Any] | list[Any]:
        dataset = self.stored[part] if part in self.stored else self.dataset(part, [self.test_recipe])
        return self.loader(dataset) if len(dataset) else []

    def predict_folder(self, folder: str | Path) -> list[Path]:
        """Makes all pictures below a folder what is predicted, in the order of the files that it returns."""
        self.predicted, files = folder_dataset(folder, self.test_recipe, self.short_side, self.depth.reading)
        return files

    def predict_pictures(self, pictures: Sequence[Picture]) -> None:
        """Makes pictures what is predicted: files, arrays (RGB or grey) or those of Pillow."""
        self.predicted = self.pictures(pictures)

    def pictures(self, pictures: Sequence[Picture]) -> ImageDataset:
        """Pictures as they are tested, without labels."""
        rows = np.arange(len(pictures))
        images = GivenPictures(pictures, self.short_side, self.depth.reading)
        return ImageDataset(images, np.zeros_like(rows), rows, [self.test_recipe])

    def predict_dataloader(self) -> DataLoader[Any] | list[Any]:
        """Loads what `predict_folder` or `predict_pictures` was given, by their numbers; else the test part."""
        return self.loader(self.predicted) if self.predicted else self.test_dataloader()

    def give_metadata(self, encoding: Encoding) -> None:
        """From now on, batches hold the attributes of their images as `metadata` (B, K); none if K is 0."""
        if self.batch_metadata is None or self.batch_metadata.encoding != encoding:
            self.batch_metadata = BatchMetadata(encoding, partial(getattr, self, "table")) if encoding else None

    def on_before_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        """Adds the attributes, where they are wanted; of pictures that were given to be predicted, none is known.

        Of stored features they are a part already.
        """
        if self.batch_metadata is None or "feature" in batch:
            return batch
        given = self.trainer is not None and self.trainer.predicting and self.predicted is not None
        return self.batch_metadata(batch, known=not given)

    def on_after_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        """Changes colours and normalises on the device: on the way there, uint8 takes a quarter of the space."""
        dtype = self.trainer.lightning_module.dtype  # type: ignore[union-attr]  # a Trainer calls this
        return self.normalize.batch(batch, dtype)  # type: ignore[arg-type]  # no text, whatever Lightning declares
