"""What a data set says of itself, before anything is loaded: its images, their labels, the part of each in a split."""

from collections.abc import Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lightning_imbal.data.depth import DepthOfData
from lightning_imbal.data.index.attributes import Encoding, fitted_encoding, named_columns
from lightning_imbal.data.index.data_folder import DataFolder
from lightning_imbal.data.indexed_images import IndexedImages
from lightning_imbal.data.pictures.base import Pictures, SomePictures
from lightning_imbal.data.pictures.disk_cache import DiskCache
from lightning_imbal.data.pictures.files import ImageFiles
from lightning_imbal.data.pictures.grey_levels import AS_FOUND, Reading
from lightning_imbal.data.pictures.memory_cache import MemoryCache
from lightning_imbal.data.pictures.open import Cache, OnBadImage, open_images
from lightning_imbal.data.sample_table import count_training_images, sample_table
from lightning_imbal.data.splits.base import Split
from lightning_imbal.data.splits.groups import known_groups
from lightning_imbal.data.splits.holdout import Holdout


class LabelledImages(IndexedImages):
    """Images of known classes with their split. A child says its class names and reads its index.

    Args:
        root: Folder of the data set.
        split: How images are divided into train, val and test; None is `default_split`.
        group_by: Keeps all images of one group on the same side of the split; `duplicates` joins groups that share a
            photograph.
        short_side: Larger pictures are reduced to it when they are read, in pixels.
        cache: Whether decoded pictures are kept, and where.
        cache_dir: Folder of the disk caches.
        on_bad_image: `raise` stops at a picture that is absent or cannot be read; `skip` leaves it out.
        asked: How pictures of more than 8 bits are to be read.
        metadata_columns: Attributes of the images, such as age and sex; a list, or one text with commas.
        lock_test: Whether the images of the test part are left out from the beginning, so that nothing opens them.
    """

    ordered: bool = False  # whether the classes are grades, from low to high
    group_pattern: str | None = None
    dicom_group: str | None = None
    default_split: Split = Holdout()
    official_counts: Sequence[int] | None = None

    def __init__(
        self,
        root: str,
        split: Split | None,
        group_by: str | None,
        short_side: int,
        cache: Cache,
        cache_dir: str,
        on_bad_image: OnBadImage,
        asked: Reading = AS_FOUND,
        metadata_columns: list[str] | str | None = None,
        lock_test: bool = False,
    ) -> None:
        self.root = Path(root).expanduser()
        self.split, self.group_by = split or self.default_split, group_by
        self.short_side, self.cache, self.cache_dir = short_side, cache, cache_dir
        self.on_bad_image, self.metadata_columns = on_bad_image, named_columns(metadata_columns)
        self.lock_test = lock_test
        self.depth = DepthOfData(asked, partial(getattr, self, "files"), cache_dir, type(self).__name__)

    def read_images(self) -> Pictures:
        return self.open_files()

    def open_files(self) -> ImageFiles | MemoryCache | DiskCache:
        """Opens `files`, each once, in the order in which the index names them."""
        files, place = self.files.drop_duplicates(), (self.cache_dir, type(self).__name__)
        return open_images(files, self.file_side, self.cache, *place, self.on_bad_image, *self.depth.how)

    @property
    def file_side(self) -> int:
        """To which short side larger files are reduced when they are read, in pixels."""
        return self.short_side

    def subsample(self, label: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Chooses the training rows to keep: all, unless a child simulates an imbalance."""
        return rows

    def check_source(self) -> list[str]:
        """Complaints about the files of the data set that only `lightning_imbal prepare` takes the time to find."""
        return []

    @property
    def title(self) -> str:
        """What the data are called in reports."""
        return type(self).__name__

    def find(self, needed: dict[str, list[str]], source: str) -> dict[str, Path]:
        """Finds files of the data set below `root`: see `DataFolder.need`."""
        return self.folder(source).need(needed)

    def folder(self, source: str) -> DataFolder:
        """The folder `root`, which finds the files of a data set that comes from `source`."""
        return DataFolder(self.root, type(self).__name__, source)

    @cached_property
    def images(self) -> Pictures:
        images = self.read_images()
        # What is in no files of its own is there as a whole.
        return images if self.unlocked is None or not self.files.empty else SomePictures(images, self.unlocked)

    def take_depth(self, kept: dict[str, Any]) -> None:
        """From now on, pictures are read as those of a training that is over."""
        if self.depth.take(kept):
            vars(self).pop("images", None)

    @property
    def left_out(self) -> dict[int, str]:
        """Why a picture is left out, by row of the index: it cannot be read."""
        return getattr(self.images, "bad", {}) if self.on_bad_image == "skip" else {}

    @cached_property
    def table(self) -> pd.DataFrame:
        """The index, each row's `class` by name, and its `part`: train, val, test, unreadable, or empty: left out."""
        return sample_table(self.index, self.parts, self.left_out, self.subsample, self.class_names)

    @property
    def metadata_encoding(self) -> Encoding:
        """How attributes become numbers, by the training part: see `fitted_encoding`; empty without attributes."""
        return fitted_encoding(self.table.iloc[self.rows("train")]) if self.metadata_columns else []

    @property
    def class_counts(self) -> list[int]:
        """Class sizes of the training part, ordered by label."""
        return count_training_images(self.labels_of("train"), self.class_names)

    def share_images(self, other: "LabelledImages") -> None:
        """Takes over the pictures that another stage has already decoded, if they are the same."""
        decoded = "images" in vars(other) and type(other) is type(self)
        same = decoded and (other.root, other.cache, other.short_side) == (self.root, self.cache, self.short_side)
        if same and other.depth.asked == self.depth.asked and self.index.equals(other.index):
            self.images, self.depth = other.images, other.depth

    def rows(self, part: str) -> np.ndarray:
        """Row numbers of a part in the sample table."""
        return np.flatnonzero(self.table["part"] == part)

    def labels_of(self, part: str) -> np.ndarray:
        """Class of every row of a part."""
        return self.table["label"].to_numpy()[self.rows(part)]

    def groups_of(self, part: str) -> np.ndarray | None:
        """Number of the group of every row of a part, also where the split does not ask for it; None if none is known.

        A row without a group is a group of its own.
        """
        if self.groups is None and ("group" not in self.index or self.index["group"].isna().all()):
            return None
        group = known_groups(self.index) if self.groups is None else self.groups
        return pd.factorize(group[self.rows(part)])[0]
