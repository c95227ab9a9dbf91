"""The predictions of a finished run, with what is needed to score and to resample them."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from lightning_imbal.errors import UserError
from lightning_imbal.runs.folder import read_split


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a run predicted for each image of its test part.

    Args:
        image: Ids of the images, (N,) text.
        unit: What is drawn as a whole when images are resampled, (N,) text: the lesion or patient of each image, or
            "image <id>" where it is not known.
        alone: Whether no other image of any part of the data set is of the same unit, (N,) bool.
        label: True classes, (N,) int64.
        probability: Softmax outputs, (N, C) float64.
        class_names: Name of each class, in label order.
        class_counts: Number of training images of each class, in label order.
        groups: Class names of each group.
    """

    image: np.ndarray
    unit: np.ndarray
    alone: np.ndarray
    label: np.ndarray
    probability: np.ndarray
    class_names: tuple[str, ...]
    class_counts: tuple[int, ...]
    groups: dict[str, tuple[str, ...]]

    def only(self, kept: np.ndarray) -> "Predictions":
        """Those of some of the images, given as (N,) bool."""
        names = ("image", "unit", "alone", "label", "probability")
        return replace(self, **{name: getattr(self, name)[kept] for name in names})


def read_predictions(folder: Path) -> Predictions | None:
    """Reads `predictions.parquet` and `metrics.json` of a run, or of a folder inside a run such as RUN/plain.

    The units are the groups in the last `stage*/split.csv` of the folder, else of the run that it is in.

    Returns:
        The predictions, or None if the folder has no `predictions.parquet`.

    Raises:
        UserError: There are predictions, but no `metrics.json`: the run is not finished.
    """
    file = folder / "predictions.parquet"
    if not file.is_file():
        return None
    if not (folder / "metrics.json").is_file():
        raise UserError(f"{folder} has predictions, but no metrics.json: finish the run, or give another folder.")
    results, table = json.loads((folder / "metrics.json").read_text()), pd.read_parquet(file)
    names = [row["name"] for row in results["classes"]]
    image = table["image"].astype("str")
    unit, alone = _units(image, folder)
    return Predictions(
        image=image.to_numpy(),
        unit=unit.to_numpy(),
        alone=alone.to_numpy(),
        label=pd.Index(names).get_indexer(table["label"]).astype(np.int64),
        probability=table[[f"probability/{name}" for name in names]].to_numpy(dtype=np.float64),
        class_names=tuple(names),
        class_counts=tuple(row["train_images"] for row in results["classes"]),
        groups={group: tuple(row["classes"]) for group, row in results["groups"].items()},
    )


def _units(image: pd.Series, folder: Path) -> tuple[pd.Series, pd.Series]:
    """The group of each image, and whether it has no other image; an image without a group is a unit of its own."""
    own, split = "image " + image, read_split(folder)
    if split is None or "group" not in split:
        return own, own.notna()
    group = image.map(split.set_index("image")["group"])
    known = group.notna() & (group != "")
    return group.where(known, own), ~known | (group.map(split["group"].value_counts()) == 1)
