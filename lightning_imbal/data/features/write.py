"""Writes stored features: a folder that appears whole or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from lightning_imbal.atomic_files import discard_halves_of, half_written, write_json
from lightning_imbal.data.features.facts import Facts
from lightning_imbal.data.features.stored import SPLIT
from lightning_imbal.runs.digests import digest
from lightning_imbal.runs.folder import FEATURES
from lightning_imbal.runs.identity import split_text


class FeatureFolder:
    """A folder that is being filled.

    Args:
        folder: Where; it is renamed when it is full.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def array(self, part: str, shape: tuple[int, int, int]) -> np.memmap:
        """The array of a part, (N, V, D) float32, to be filled; it lies in a file."""
        return np.lib.format.open_memmap(self.folder / f"{part}.npy", "w+", np.float32, shape)

    def finish(self, facts: Facts, table: pd.DataFrame) -> Facts:
        """Writes what made the features, and the part of every image, and returns the facts as they are written."""
        arrays = sorted(self.folder.glob("*.npy"))
        (self.folder / SPLIT).write_text(split_text(table), encoding="utf-8", newline="")
        sizes = {"bytes": sum(file.stat().st_size for file in arrays)}
        whole = facts | sizes | {"files": {file.name: digest(file) for file in arrays}}
        write_json(self.folder / FEATURES, whole)
        return whole


@contextmanager
def appearing(folder: Path) -> Iterator[FeatureFolder]:
    """A folder to fill, which appears when all went well; what was left of processes that were killed goes."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    discard_halves_of(folder)
    beside = half_written(folder)
    beside.mkdir()
    try:
        yield FeatureFolder(beside)
        os.replace(beside, folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
