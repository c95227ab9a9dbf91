"""The index of a data set: its rows, the part and the group of each, and what a locked test part leaves of them."""

from abc import ABC, abstractmethod
from functools import cached_property

import numpy as np
import pandas as pd
from lightning.pytorch.utilities import rank_zero_info

from lightning_imbal.data.copies.groups import copies_of_files, copies_of_pictures, join_groups
from lightning_imbal.data.index.attributes import attribute_columns
from lightning_imbal.data.pictures.base import Pictures
from lightning_imbal.data.pictures.open import OnBadImage, refuse_absent
from lightning_imbal.data.sample_table import check_index
from lightning_imbal.data.splits.base import Split
from lightning_imbal.data.splits.groups import DUPLICATES, group_ids


class IndexedImages(ABC):
    """The part of `LabelledImages` that knows which rows there are: a child reads the index.

    Of a locked test part, `index`, `parts` and `groups` have no row, and so has nothing that is made of them: nothing
    opens its pictures. Only the split, which decides what it is, sees the whole index.
    """

    class_names: tuple[str, ...]
    group_name: str | None = None
    split: Split
    group_by: str | None
    cache_dir: str
    on_bad_image: OnBadImage
    metadata_columns: list[str]
    lock_test: bool

    @abstractmethod
    def read_index(self) -> pd.DataFrame:
        """Reads the labels, never a picture.

        Returns:
            One row per image: `image` (its id), `path` (folder/file, absent if `read_images` does not need it), or
            `cut_from` (the same of a picture that several rows are cut out of), `label` (0-based) and, where known,
            `group` (empty: on its own), `official` (train, val, test) and `fold`.
        """

    @abstractmethod
    def read_images(self) -> Pictures:
        """Returns the picture of every row of the index, RGB (H, W, 3), uint8 or, with `bits` of 16, uint16."""

    @property
    @abstractmethod
    def images(self) -> Pictures:
        """Pictures by row of the index, read when first needed."""

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
    def whole_index(self) -> pd.DataFrame:
        """What `read_index` returns, checked, with the attributes that were asked for, as `meta/<name>`."""
        index, owner = self.bare_index, type(self).__name__
        if not (names := self.metadata_columns):
            return index
        return index.join(attribute_columns(names, index, self.unused_columns(), self.used_columns(), owner))

    @cached_property
    def _whole_groups(self) -> np.ndarray | None:
        group = group_ids(self.whole_index, self.group_by, self.group_name, type(self).__name__)
        if group is None or self.group_by != DUPLICATES or self.group_name == DUPLICATES:
            return group
        if (whole := _files_of(self.whole_index)).empty:
            return join_groups(group, copies_of_pictures(self.read_images() if self.lock_test else self.images))
        file, files = pd.factorize(whole)
        return join_groups(group, copies_of_files(pd.Series(files), self.cache_dir, self.on_bad_image)[file])

    @cached_property
    def _whole_parts(self) -> np.ndarray:
        return self.split.part_of_rows(self.whole_index, self._whole_groups)

    @cached_property
    def unlocked(self) -> np.ndarray | None:
        """The rows (K,) of the whole index outside of a locked test part; None if it is not locked."""
        return np.flatnonzero(self._whole_parts != "test") if self.lock_test else None

    @cached_property
    def index(self) -> pd.DataFrame:
        """The whole index, or what a locked test part leaves of it."""
        kept = self.unlocked
        return self.whole_index if kept is None else self.whole_index.iloc[kept].reset_index(drop=True)

    @property
    def parts(self) -> np.ndarray:
        """What the split says of every row of the index; an array of its own."""
        return self._whole_parts.copy() if self.unlocked is None else self._whole_parts[self.unlocked]

    @cached_property
    def groups(self) -> np.ndarray | None:
        """The group of every row of the index that the split keeps together; None if it splits image by image."""
        groups = self._whole_groups
        return groups if groups is None or self.unlocked is None else groups[self.unlocked]

    @property
    def files(self) -> pd.Series:
        """The picture file of every row of the index, from which it may be cut; empty if it is in none."""
        return _files_of(self.index)


def _files_of(index: pd.DataFrame) -> pd.Series:
    return next((index[name] for name in ("path", "cut_from") if name in index), pd.Series(dtype=object))
