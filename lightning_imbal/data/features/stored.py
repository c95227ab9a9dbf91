"""Reads what `lightning_imbal features` has stored."""

import json
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lightning_imbal.data.features.facts import Facts, differences
from lightning_imbal.errors import UserError
from lightning_imbal.experiment_files import beside
from lightning_imbal.runs.digests import digest
from lightning_imbal.runs.folder import FEATURES, first_free, is_stored
from lightning_imbal.runs.identity import as_split, split_changes
from lightning_imbal.runs.reading import check_keys, reading
from lightning_imbal.runs.stage import read_split

SPLIT = "split.csv"
AGAIN = "store them again: `lightning_imbal features` with another --out"


class StoredFeatures:
    """A folder with the features of all pictures: `features.json`, `split.csv`, and an array for each part.

    Args:
        folder: That `lightning_imbal features` wrote to.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder).expanduser()
        self._whole: set[str] = set()  # files that are as they were stored

    @cached_property
    def facts(self) -> Facts:
        """What made them.

        Raises:
            UserError: There are none, or the file is damaged.
        """
        file = self.folder / FEATURES
        if not is_stored(self.folder):
            mend = "" if self.folder.is_dir() else beside(self.folder)
            mend = mend or "store them with `lightning_imbal features`, or read pictures with data.features=null."
            raise UserError(f"{self.folder} holds no stored features (no {FEATURES}): {mend}")
        with reading(file, AGAIN):
            facts = json.loads(file.read_text(encoding="utf-8"))
            check_keys(facts, {"data": str, "weights": str, "split": str, "views": int, "size": int, "files": dict})
        return facts

    @cached_property
    def split(self) -> pd.DataFrame:
        """The part of every image that features were stored of, as `Stage.split` reads it."""
        split = read_split(self.folder / SPLIT, self.folder, AGAIN)
        if split is None:
            _ = self.facts  # if there are none at all, they say so
            raise UserError(f"{self.folder} has no {SPLIT}: {AGAIN}.")
        return split

    def unreadable(self, image: pd.Series) -> dict[int, str]:
        """The rows of images (N,) whose pictures could not be read when features were stored, and why."""
        bad = self.split["image"][self.split["part"] == "unreadable"]
        rows = np.flatnonzero(image.astype(str).isin(bad))
        return {int(row): f"{image.iloc[row]} could not be read when features were stored." for row in rows}

    def array(self, part: str) -> np.ndarray:
        """The features of a part, (N, V, D) float32, mapped from the file, in the order of the sample table.

        Raises:
            UserError: The file is not the one that was stored.
        """
        file = self.folder / f"{part}.npy"
        if file.name not in self._whole:
            if not (file.is_file() and self.facts["files"].get(file.name) == digest(file)):
                raise UserError(f"{file} is not the file that was stored, or is damaged: {AGAIN}.")
            self._whole.add(file.name)
        return np.load(file, mmap_mode="c")  # writable, as torch wants it; the file stays as it is

    def check(self, now: Facts, table: pd.DataFrame, augmented: bool = False, locked: bool = False) -> None:
        """Refuses to take the features for others, and files that are damaged.

        Args:
            now: The facts of who wants them, as far as they are known.
            table: The sample table of who wants them.
            augmented: Whether the augmentation must be the same too.
            locked: Whether the table lacks the test part.

        Raises:
            UserError: The message names what is another.
        """
        found = list(differences(self.facts, now, augmented))
        if now["split"] != self.facts["split"]:
            found += self._of_split(table, locked)
        if found:
            free = first_free(self.folder)
            raise UserError(
                f"The features in {self.folder} are of something else ({'; '.join(found)}): give what they were "
                f"stored of, or store others with `lightning_imbal features` and --out {free}."
            )
        for file in map(Path, self.facts["files"]):
            if not (locked and file.stem == "test"):
                self.array(file.stem)

    def _of_split(self, table: pd.DataFrame, locked: bool) -> list[str]:
        """What of the split is another in a table."""
        split = self.split[self.split["part"] != "test"] if locked else self.split
        if other := split_changes(split, table):
            return [other]
        same = split["image"].tolist() == as_split(table)["image"].tolist()
        return [] if same else ["the images are in another order"]


def size_text(facts: dict[str, Any]) -> str:
    """How much is stored, in words."""
    images = ", ".join(f"{part} {number:,}" for part, number in facts["images"].items())
    versions = f" in {facts['views']} augmented versions" if facts["views"] else ""
    each = facts["bytes"] / max(sum(facts["images"].values()), 1)
    return (
        f"{images}, the training pictures{versions or ' as they are tested'}; {facts['size']:,} numbers each, "
        f"{facts['bytes'] / 1e6:,.1f} MB, {each / 1e3:.1f} kB an image"
    )
