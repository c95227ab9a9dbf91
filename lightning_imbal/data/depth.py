"""How the pictures of a data set are read where they have more than 8 bits."""

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import Any

import pandas as pd

from lightning_imbal.data.pictures.depth_words import sentences
from lightning_imbal.data.pictures.depths import Depths, look_for_depths
from lightning_imbal.data.pictures.disk_cache import cache_folder
from lightning_imbal.data.pictures.grey_levels import Reading


class DepthOfData:
    """What was asked for, what was found in the files, and what a training that is over has kept.

    Args:
        asked: How pictures of more than 8 bits are to be read.
        files: Returns the picture files.
        cache_dir: Folder in which what was found is kept.
        name: Name of the data set, for what is kept of it there.
    """

    def __init__(self, asked: Reading, files: Callable[[], pd.Series], cache_dir: str, name: str) -> None:
        self.asked, self.files, self.cache_dir, self.name = asked, files, cache_dir, name
        self.trained: dict[str, Any] | None = None

    def look(self, values: bool, dicom: bool) -> Depths:
        """Finds how deep the pictures are: see `look_for_depths`."""
        paths, window = self.files().drop_duplicates().tolist(), self.asked.dicom_window
        record = cache_folder(self.cache_dir, self.name, paths, 0, f"depths {window}")
        return look_for_depths(paths, record.with_suffix(".depths"), values, dicom, window)

    @cached_property
    def found(self) -> Depths:
        """How deep the pictures are, and where it is needed the range of their values."""
        return self.look(values=self.asked.needs_range and self.trained is None, dicom=False)

    @cached_property
    def reading(self) -> Reading:
        """How pictures are read: where they need a range, by that of all of them, or of the training."""
        if not self.asked.needs_range:
            return self.asked
        found = self.found.range if self.trained is None else self.trained["range"]
        return replace(self.asked, range=None if found is None else (found[0], found[1]))

    @property
    def how(self) -> tuple[Reading, str]:
        """How pictures are read, and what of it tells one cache of them from another.

        Raises:
            UserError: A training that is over has seen no pictures of more than 8 bits, and there are some.
        """
        self.found.refuse_without_range(self.reading)
        return self.reading, self.found.identity(self.reading)

    @property
    def said(self) -> list[str]:
        """Sentences about pictures of more than 8 bits, and those that are not opaque, if there are any."""
        return sentences(self.found, self.reading)

    @property
    def kept(self) -> dict[str, Any]:
        """What a checkpoint keeps, so that other pictures are read as those of the training."""
        found = self.reading.range
        return {"range": None if found is None else list(found)}

    @property
    def identity(self) -> dict[str, Any]:
        """How pictures of more than 8 bits are read, for the identity of a result; empty if there are none."""
        return self.reading.settings if self.found.table["deep"].any() else {}

    def take(self, kept: dict[str, Any]) -> bool:
        """From now on, pictures are read as those of a training that is over; whether they were read otherwise."""
        before = vars(self).pop("reading", None)
        self.trained = kept
        return before is not None and self.reading != before
