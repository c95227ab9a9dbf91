"""What a data set says of itself, before anything is loaded: its images, their labels, the part of each in a split."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from lightning_imbal.data.copies.groups import copies_of_files, copies_of_pictures, join_groups
from lightning_imbal.data.index.data_folder import DataFolder
from lightning_imbal.data.pictures.base import Pictures
from lightning_imbal.data.pictures.open import Cache, OnBadImage, open_images, refuse_absent
from lightning_imbal.data.sample_table import check_index, count_training_images, sample_table
from lightning_imbal.data.splits.base import Split
from lightning_imbal.data.splits.groups import DUPLICATES, group_ids
from lightning_imbal.data.splits.holdout import Holdout


class LabelledImages(ABC):
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
    """

    class_names: tuple[str, ...]
    ordered: bool = False  # whether the classes are grades, from low to high
    group_name: str | None = None
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
    ) -> None:
        self.root = Path(root).expanduser()
        self.split, self.group_by = split or self.default_split, group_by
        self.short_side, self.cache, self.cache_dir = short_side, cache, cache_dir
        self.on_bad_image = on_bad_image

    @abstractmethod
    def read_index(self) -> pd.DataFrame:
        """Reads the labels, never a picture.

        Returns:
            One row per image: `image` (its id), `path` (folder/file, absent if `read_images` does not need it), `label`
            (0-based) and, where known, `group` (empty: on its own), `official` (train, val, test) and `fold`.
        """

    def read_images(self) -> Pictures:
        """Returns the picture of every row of the index, uint8 RGB (H, W, 3)."""
        place = (self.cache_dir, type(self).__name__)
        return open_images(self.index["path"], self.short_side, self.cache, *place, self.on_bad_image)

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

    @property
    def remarks(self) -> list[str]:
        """Sentences about images and classes of the source that are left out or joined, for every report."""
        return []

    def unused_columns(self) -> pd.DataFrame | None:
        """What else a label file says of every row of the index, as text; None if nothing."""
        return None

    def find(self, needed: dict[str, list[str]], source: str) -> dict[str, Path]:
        """Finds files of the data set below `root`: see `DataFolder.need`."""
        return self.folder(source).need(needed)

    def folder(self, source: str) -> DataFolder:
        """The folder `root`, which finds the files of a data set that comes from `source`."""
        return DataFolder(self.root, type(self).__name__, source)

    @cached_property
    def index(self) -> pd.DataFrame:
        """What `read_index` returns, checked: no image twice, no label outside the classes, no file absent."""
        index, owner = self.read_index().reset_index(drop=True), type(self).__name__
        check_index(index, self.class_names, owner)
        if self.on_bad_image == "raise" and "path" in index:
            refuse_absent(index["path"], owner)
        return index

    @cached_property
    def images(self) -> Pictures:
        """Pictures by row of the index, read when first needed."""
        return self.read_images()

    @property
    def left_out(self) -> dict[int, str]:
        """Why a picture is left out, by row of the index: it cannot be read."""
        return getattr(self.images, "bad", {}) if self.on_bad_image == "skip" else {}

    @cached_property
    def table(self) -> pd.DataFrame:
        """The index, each row's `class` by name, and its `part`: train, val, test, unreadable, or empty: left out."""
        part = self.split.part_of_rows(self.index, self.groups)
        return sample_table(self.index, part, self.left_out, self.subsample, self.class_names)

    @property
    def class_counts(self) -> list[int]:
        """Class sizes of the training part, ordered by label."""
        return count_training_images(self.labels_of("train"), self.class_names)

    @cached_property
    def groups(self) -> np.ndarray | None:
        """The group of every row of the index that the split keeps together; None if it splits image by image."""
        group = group_ids(self.index, self.group_by, self.group_name, type(self).__name__)
        if group is None or self.group_by != DUPLICATES or self.group_name == DUPLICATES:
            return group
        if "path" not in self.index:
            return join_groups(group, copies_of_pictures(self.images))
        return join_groups(group, copies_of_files(self.index["path"], self.cache_dir, self.on_bad_image))

    def share_images(self, other: "LabelledImages") -> None:
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
