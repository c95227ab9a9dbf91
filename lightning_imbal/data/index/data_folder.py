"""Finds the files of a data set, as its archives unpack or as others have arranged them."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path

import pandas as pd
from lightning.pytorch.utilities import rank_zero_info

from lightning_imbal.data.index.by_name import find_by_name
from lightning_imbal.data.index.listing import files_below, is_picture, pictures_in
from lightning_imbal.errors import DatasetNotFoundError, UserError
from lightning_imbal.experiment_files import beside

MEND = "give with data.root=FOLDER the folder of one of them"


@dataclass(frozen=True)
class DataFolder:
    """The folder of a data set, whose files have known names.

    A file is looked for in the places that the archives give it, and only then, by its name, anywhere below the folder
    or beside it.

    Attributes:
        root: The folder.
        owner: Name of the data set, for the messages.
        source: Where to get it, for the messages.
    """

    root: Path
    owner: str
    source: str

    def need(self, needed: Mapping[str, Sequence[str]], pictures: str | None = None) -> dict[str, Path]:
        """Finds files and folders.

        Args:
            needed: Per file or folder, the places relative to the folder where it may lie; may be patterns with `*`.
            pictures: Folder of the archives with the pictures, for the message if there are none below either.

        Raises:
            DatasetNotFoundError: Something is missing; the message lists all that was looked for.
            UserError: One of several files may be meant.
        """
        found = {name: self.find(places) for name, places in needed.items()}
        if missing := [needed[name][0] for name, path in found.items() if path is None]:
            raise self._absent(missing if pictures is None or self._pictures else [*missing, pictures])
        return {name: path for name, path in found.items() if path is not None}

    def find(self, places: Sequence[str]) -> Path | None:
        """Finds one file or folder, as `need`; None if it is missing."""
        for place in places:
            if found := sorted(self.root.glob(place)):
                return found[0]
        names = [place.rpartition("/")[2] for place in places]
        for name in names:
            if below := [path for path in self._files if fnmatchcase(path.rpartition("/")[2], name)]:
                return self._first(below)
        beside = (path for name in names for path in sorted(self.root.absolute().parent.glob(name)))
        return next((path for path in beside if path.is_file()), None)

    def pictures(self, image: pd.Series, places: Sequence[str], ending: str, labels: Path) -> pd.Series:
        """Finds the picture of every image.

        Args:
            image: Id of every image, the name of its picture without `ending`.
            places: The folders relative to the folder that the archives have; may be patterns with `*`.
            ending: What the archives add to the id, such as `.jpg`; in other places, pictures may have other endings.
            labels: The label file, for the message.

        Returns:
            The path of every picture. One that is missing is where the archives have it.

        Raises:
            DatasetNotFoundError: There are neither the folders nor pictures of these names.
            UserError: One of several pictures may be meant.
        """
        folders = [str(folder) for place in places for folder in sorted(self.root.glob(place))]
        name = image + ending
        folder_of = _folders_of(name, folders)
        usual = folders[0] if folders else str(self.root / places[0])
        if folder_of is not None:
            return folder_of.fillna(usual) + "/" + name
        found = pd.Series(index=image.index, dtype=object)
        for folder in (*folders[:1], str(self.root)):
            files = self._pictures if folder == str(self.root) else pictures_in(folder)
            found = find_by_name(image, files, Path(folder), labels, MEND)
            found = found.map(lambda path, folder=folder: f"{folder}/{path}", na_action="ignore")
            if found.notna().all():
                break
        if found.isna().all() and not folders:
            raise self._absent(places[:1])
        if not all(path.startswith(f"{usual}/") for path in found.dropna()):
            rank_zero_info(f"{self.owner}: the pictures are not in {usual}: they were found below {self.root} by name.")
        return (f"{usual}/" + name).mask(found.notna(), found)

    @cached_property
    def _files(self) -> list[str]:
        """All files below the folder; of two copies of an archive that differ only in capital letters, one."""
        return [*{path.lower(): path for path in files_below(self.root)}.values()]

    @cached_property
    def _pictures(self) -> list[str]:
        return [path for path in self._files if is_picture(path)]

    def _first(self, paths: Sequence[str]) -> Path:
        """The file that is in the fewest folders."""
        first, *others = sorted(paths, key=lambda path: (path.count("/"), path))
        for other in others:
            if other.count("/") == first.count("/") and other.rpartition("/")[2] == first.rpartition("/")[2]:
                raise UserError(
                    f"The labels of {self.owner} may be {self.root / first} or {self.root / other}: {MEND}."
                )
        return self.root / first

    def _absent(self, missing: Sequence[str]) -> DatasetNotFoundError:
        if not self.root.exists() and (hint := beside(self.root)):
            return DatasetNotFoundError(f"{self.owner} not found: there is no folder {self.root}: {hint}")
        return DatasetNotFoundError(
            f"{self.owner} not found: {self.root.absolute()} has no {', no '.join(missing)}. Get them from "
            f"{self.source} and unpack them there, or give the folder that holds them with data.root=FOLDER."
        )


def _folders_of(name: pd.Series, folders: Sequence[str]) -> pd.Series | None:
    """The folder that has each picture; None if none of them is in any."""
    if len(folders) == 1 and any(os.path.exists(f"{folders[0]}/{first}") for first in name[:1]):
        return pd.Series(folders[0], index=name.index)  # without listing it
    present = {file: folder for folder in folders for file in os.listdir(folder)}
    found = name.map(present)
    return found if found.notna().any() else None
