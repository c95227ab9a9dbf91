"""MedMNIST: small, ready-made medical images in one file per data set."""

import hashlib
import os
import tempfile
import zipfile
import zlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from lightning_imbal.data.base import ImbalDataModule
from lightning_imbal.data.pictures.base import Pictures
from lightning_imbal.data.splits.base import PARTS
from lightning_imbal.data.splits.long_tail import thin_out
from lightning_imbal.data.splits.official import Official
from lightning_imbal.errors import DatasetNotFoundError, UserError


class MedMNIST(ImbalDataModule):
    """MedMNIST v2 (Yang et al. 2023): one of its eleven two-dimensional data sets with one label per image.

    `pathmnist` with `ratio=100` is PathMNIST-LT of Zeng et al. 2023 (training part of 9,366 to 94 images in 9 classes),
    `octmnist` is OCTMNIST of Chen et al. 2021 (46,026 to 7,754 training images in 4 classes, 250 test images of each).
    Expects the official file below `root`: `<flag>.npz`, or `<flag>_<size>.npz` for a size other than 28. The default
    split is the official one, which both papers use (Chen et al. do not say what they do with the validation part).
    The classes are numbered as in the file; those of `retinamnist` are the grades 0 to 4.

    All pictures of the file are kept in memory, decompressed: 250 MB for `pathmnist` at 28 pixels, but 16 GB at 224.
    Grey pictures get three equal channels when they are used. Licence: CC BY 4.0, `dermamnist` CC BY-NC 4.0.

    Args:
        root: Folder of the file.
        flag: Name of the data set, such as `pathmnist`.
        size: Side of the pictures in pixels.
        download: Fetches the file from Zenodo if it is absent, and checks it.
        ratio: Thins the training part out exponentially by class number, to this ratio between the first and the last
            class; None keeps all images.
        **kwargs: Arguments of `ImbalDataModule`.
    """

    default_split = Official()

    def __init__(
        self,
        root: str,
        flag: str,
        size: Literal[28, 64, 128, 224] = 28,
        download: bool = False,
        ratio: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(root=root, **kwargs)
        self.flag, self.size, self.download, self.ratio = flag, size, download, ratio
        known = {name: info for name, info in _info().items() if _has_one_label(name, info)}
        if flag not in known:
            raise UserError(f"MedMNIST has no single-label 2-D data set {flag!r}: choose from {', '.join(known)}.")
        self.info: dict[str, Any] = known[flag]
        self.suffix = "" if size == 28 else f"_{size}"
        self.file = self.root / f"{flag}{self.suffix}.npz"
        self.ordered = self.info["task"] == "ordinal-regression"

    @cached_property
    def class_names(self) -> tuple[str, ...]:  # type: ignore[override]  # not to be set
        """Names of the classes as the medmnist package gives them."""
        return tuple(self.info["label"][str(number)] for number in range(len(self.info["label"])))

    @property
    def title(self) -> str:
        return self.flag

    def prepare_data(self) -> None:
        """Downloads the file, in one process, if it is wanted and not there."""
        self._fetch()
        super().prepare_data()

    def read_index(self) -> pd.DataFrame:
        self._fetch()
        label = [part.ravel() for part in self._read("labels")]
        official = pd.Series(np.repeat(PARTS, [len(part) for part in label]))
        number = official.groupby(official).cumcount().astype(str)
        return pd.DataFrame(
            {
                "image": f"{self.file.stem}_" + official + "_" + number,
                "label": np.concatenate(label).astype(int),
                "official": official,
            }
        )

    def read_images(self) -> Pictures:
        return StackedImages(self._read("images"))

    def subsample(self, label: np.ndarray, rows: np.ndarray) -> np.ndarray:
        if self.ratio is None:
            return rows
        return thin_out(label, rows, len(self.class_names), self.ratio)

    def check_source(self) -> list[str]:
        """Compares the file with the checksum that the medmnist package knows.

        Returns:
            Complaints, one sentence each; none if it is the official file.
        """
        self._fetch()
        with self.file.open("rb") as file:
            found = hashlib.file_digest(file, "md5").hexdigest()
        official = self.info[f"MD5{self.suffix}"]
        return [] if found == official else [f"{self.file} has the MD5 {found}, the official file {official}."]

    @property
    def url(self) -> str:
        """Where the official file is."""
        return self.info[f"url{self.suffix}"]

    def _fetch(self) -> None:
        """Makes sure that the file is there.

        Raises:
            DatasetNotFoundError: It is not, and it must not or cannot be downloaded.
        """
        if self.file.is_file():
            return
        if not self.download:
            raise DatasetNotFoundError(
                f"MedMNIST not found: {self.root.absolute()} has no {self.file.name}. Get it from {self.url}, or "
                "have it fetched with data.download=true, or give the folder that holds it with data.root=FOLDER."
            )
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            # In a folder of its own: neither a broken download nor another process may leave half a file behind.
            with tempfile.TemporaryDirectory(dir=self.root) as folder:
                fetch(self.info["python_class"], folder, self.size)
                os.replace(Path(folder) / self.file.name, self.file)
        except (RuntimeError, OSError) as error:
            raise DatasetNotFoundError(
                f"{self.file.name} could not be downloaded to {self.root.absolute()}: "
                f"get it from {self.url} by other means, and put it there."
            ) from error

    def _read(self, kind: str) -> list[np.ndarray]:
        """Reads the pictures or the labels of every part; the file is an archive, the rest of it is not touched."""
        try:
            with np.load(self.file) as arrays:
                return [arrays[f"{part}_{kind}"] for part in PARTS]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise UserError(
                f"{self.file} is no MedMNIST file or is damaged: delete it, and get it again from {self.url}."
            ) from error


class StackedImages(Pictures):
    """Pictures of several arrays under consecutive numbers, without a copy; grey ones get three channels.

    Args:
        arrays: Pictures (N, H, W) or (N, H, W, 3), uint8.
    """

    def __init__(self, arrays: Sequence[np.ndarray]) -> None:
        self.arrays = arrays
        self.end = np.cumsum([len(array) for array in arrays])

    def __len__(self) -> int:
        return int(self.end[-1])

    def __getitem__(self, row: int) -> np.ndarray:
        row = range(len(self))[row]
        part = int(np.searchsorted(self.end, row, side="right"))
        image = self.arrays[part][row - self.end[part]]
        return image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=-1)


def _info() -> dict[str, dict[str, Any]]:
    from medmnist import INFO  # only here: the package makes a folder in the user's home when it is imported

    return INFO


def _has_one_label(flag: str, info: dict[str, Any]) -> bool:
    return not flag.endswith("3d") and not info["task"].startswith("multi-label")


def fetch(python_class: str, folder: str, size: int) -> None:
    import medmnist

    # The smallest part: the package reads the pictures of one after the download.
    getattr(medmnist, python_class)("val", root=folder, size=size, download=True)
