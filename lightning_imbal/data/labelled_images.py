"""What a data set says of itself, before anything is loaded: its images, their labels, the part of each in a split."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from lightning.pytorch.utilities import rank_zero_info

from lightning_imbal.data.copies.groups import copies_of_files, copies_of_pictures, join_groups
from lightning_imbal.data.depth import DepthOfData
from lightning_imbal.data.index.attributes import Encoding, attribute_columns, fitted_encoding, named_columns
from lightning_imbal.data.index.data_folder import DataFolder
from lightning_imbal.data.pictures.base import Pictures, SomePictures
from lightning_imbal.data.pictures.disk_cache import DiskCache
from lightning_imbal.data.pictures.files import ImageFiles
from lightning_imbal.data.pictures.grey_levels import AS_FOUND, Reading
from lightning_imbal.data.pictures.memory_cache import MemoryCache
from lightning_imbal.data.pictures.open import Cache, OnBadImage, open_images, refuse_absent
from lightning_imbal.data.sample_table import check_index, count_training_images, sample_table
from lightning_imbal.data.splits.base import Split
from lightning_imbal.data.splits.groups import DUPLICATES, group_ids, known_groups
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
        asked: How pictures of more than 8 bits are to be read.
        metadata_columns: Attributes of the images, such as age and sex; a list, or one text with commas.
        lock_test: Whether the images of the test part are left out from the beginning, so that nothing opens them.
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

    @abstractmethod
    def read_index(self) -> pd.DataFrame:
        """Reads the labels, never a picture.

        Returns:
            One row per image: `image` (its id), `path` (folder/file, absent if `read_images` does not need it), or
            `cut_from` (the same of a picture that several rows are cut out of), `label` (0-based) and, where known,
            `group` (empty: on its own), `official` (train, val, test) and `fold`.
        """

    def read_images(self) -> Pictures:
        """Returns the picture of every row of the index, RGB (H, W, 3), uint8 or, with `bits` of 16, uint16."""
        return self.open_files()

    def open_files(self) -> ImageFiles | MemoryCache | DiskCache:
        """Opens `files`, each once, in the order in which the index names them."""
        files, place = self.files.drop_duplicates(), (self.cache_dir, type(self).__name__)
        return open_images(files, self.file_side, self.cache, *place, self.on_bad_image, *self.depth.how)

    @property
    def files(self) -> pd.Series:
        """The picture file of every row of the index, from which it may be cut; empty if it is in none."""
        return _files_of(self.index)

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

    @property
    def remarks(self) -> list[str]:
        """Sentences about images and classes of the source that are left out or joined, for every report."""
        return []

    def unused_columns(self) -> pd.DataFrame | None:
        """What else a label file says of every row of `bare_index`, as text; None if nothing."""
        return None

    def used_columns(self) -> dict[str, str]:
        """What the other columns of the label file are, such as `{"dx": "the label"}`; for messages."""
        return {}

    def find(self, needed: dict[str, list[str]], source: str) -> dict[str, Path]:
        """Finds files of the data set below `root`: see `DataFolder.need`."""
        return self.folder(source).need(needed)

    def folder(self, source: str) -> DataFolder:
        """The folder `root`, which finds the files of a data set that comes from `source`."""
        return DataFolder(self.root, type(self).__name__, source)

    @cached_property
    def index(self) -> pd.DataFrame:
        """The whole index, or what a locked test part leaves of it."""
        kept = self.unlocked
        return self.whole_index if kept is None else self.whole_index.iloc[kept].reset_index(drop=True)

    @cached_property
    def unlocked(self) -> np.ndarray | None:
        """The rows (K,) of the whole index outside of a locked test part; None if it is not locked."""
        return np.flatnonzero(self._parts_of_all() != "test") if self.lock_test else None

    def _parts_of_all(self) -> np.ndarray:
        return self.split.part_of_rows(self.whole_index, self._groups_of_all)

    @property
    def parts(self) -> np.ndarray:
        """What the split says of every row of the index; an array of its own."""
        return self._parts_of_all()[... if self.unlocked is None else self.unlocked]

    @cached_property
    def whole_index(self) -> pd.DataFrame:
        """What `read_index` returns, checked, with the attributes that were asked for, as `meta/<name>`."""
        index, owner = self.bare_index, type(self).__name__
        if not (names := self.metadata_columns):
            return index
        return index.join(attribute_columns(names, index, self.unused_columns(), self.used_columns(), owner))

    @cached_property
    def bare_index(self) -> pd.DataFrame:
        """What `read_index` returns, checked: no image twice, no label outside, no file absent. Tells the remarks."""
        index, owner = self.read_index().reset_index(drop=True), type(self).__name__
        for sentence in self.remarks:
            rank_zero_info(sentence)
        check_index(index, self.class_names, owner)
        if self.on_bad_image == "raise" and not (files := _files_of(index)).empty:
            refuse_absent(files.drop_duplicates(), owner)
        return index

    @cached_property
    def images(self) -> Pictures:
        """Pictures by row of the index, read when first needed."""
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

    @cached_property
    def groups(self) -> np.ndarray | None:
        """The group of every row of the index that the split keeps together; None if it splits image by image."""
        groups = self._groups_of_all
        return groups if groups is None or self.unlocked is None else groups[self.unlocked]

    @cached_property
    def _groups_of_all(self) -> np.ndarray | None:
        group = group_ids(self.whole_index, self.group_by, self.group_name, type(self).__name__)
        if group is None or self.group_by != DUPLICATES or self.group_name == DUPLICATES:
            return group
        if (of_all := _files_of(self.whole_index)).empty:
            return join_groups(group, copies_of_pictures(self.read_images() if self.lock_test else self.images))
        file, files = pd.factorize(of_all)
        return join_groups(group, copies_of_files(pd.Series(files), self.cache_dir, self.on_bad_image)[file])

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


def _files_of(index: pd.DataFrame) -> pd.Series:
    return next((index[name] for name in ("path", "cut_from") if name in index), pd.Series(dtype=object))
