"""The predictions of a finished run, with what is needed to score and to resample them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lightning_imbal.errors import UserError
from lightning_imbal.runs.reading import AGAIN, ATTRIBUTE


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
        decided: What a decision rule answers, (N,) int64; by default the class with the largest probability.
        attributes: What else is known of each image, such as sex and age, (N,) text by its name; empty where missing.
    """

    image: np.ndarray
    unit: np.ndarray
    alone: np.ndarray
    label: np.ndarray
    probability: np.ndarray
    class_names: tuple[str, ...]
    class_counts: tuple[int, ...]
    groups: dict[str, tuple[str, ...]]
    decided: np.ndarray | None = None
    attributes: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def answers(self) -> np.ndarray:
        """The class that each image is taken for, (N,); of equal probabilities the first."""
        return self.probability.argmax(axis=1) if self.decided is None else self.decided

    @property
    def grouped(self) -> np.ndarray:
        """Whether the lesion or patient of each image is known, (N,) bool."""
        return grouped(self.image, self.unit)

    def only(self, kept: np.ndarray) -> "Predictions":
        """Those of some of the images, given as (N,) bool."""
        names = ("image", "unit", "alone", "label", "probability")
        decided = None if self.decided is None else self.decided[kept]
        attributes = {name: values[kept] for name, values in self.attributes.items()}
        arrays = {name: getattr(self, name)[kept] for name in names}
        return replace(self, decided=decided, attributes=attributes, **arrays)


def as_predictions(table: pd.DataFrame, results: dict[str, Any], split: pd.DataFrame | None) -> Predictions:
    """Makes predictions of what the files of a run hold.

    Args:
        table: `image`, `label` (name of the class), a column `probability/<class>`, or `logit/<class>`, for each class,
            and a column `meta/<name>` for each attribute of the images.
        results: With the `classes` and `groups` of `metrics.json`.
        split: With `image` and, where known, `group` of every image of all parts.

    Raises:
        ValueError: The table is of other classes.
    """
    names = [row["name"] for row in results["classes"]]
    if logits := [name for name in table.columns if name.startswith("logit/")]:
        table = table.assign(**_softmax(table[logits]))
    known = {name.removeprefix("probability/") for name in table.columns if name.startswith("probability/")}
    if known != set(names) or not set(table["label"]) <= known:
        raise ValueError("The classes are others.")
    image = table["image"].astype("str")
    unit, alone = units_of(image, split)
    return Predictions(
        image=image.to_numpy(),
        unit=unit.to_numpy(),
        alone=alone.to_numpy(),
        label=pd.Index(names).get_indexer(table["label"]).astype(np.int64),
        probability=table[[f"probability/{name}" for name in names]].to_numpy(dtype=np.float64),
        class_names=tuple(names),
        class_counts=tuple(row["train_images"] for row in results["classes"]),
        groups={group: tuple(row["classes"]) for group, row in results["groups"].items()},
        attributes=column_values(table),
    )


def column_values(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """The columns `meta/<name>` of a table of images, each (N,) text, by the name of the attribute."""
    return {
        name.removeprefix(ATTRIBUTE): table[name].fillna("").astype("str").to_numpy(dtype=object)
        for name in table.columns
        if str(name).startswith(ATTRIBUTE)
    }


def check_part(found: Predictions, split: pd.DataFrame | None, part: str, folder: Path) -> None:
    """Refuses predictions of images that are not in a part of the split of their run, where that is known.

    Raises:
        UserError: They do not belong together.
    """
    if split is not None and not set(found.image) <= set(split.loc[split["part"] == part, "image"]):
        name = "predictions_val.parquet" if part == "val" else "predictions.parquet"
        raise UserError(f"split.csv and {name} in {folder} are not of one run: {AGAIN}.")


def check_origin(found: Predictions, results: dict[str, Any], split: pd.DataFrame | None, folder: Path) -> None:
    """Refuses predictions from which the results, or on a split to which they, cannot have come.

    Args:
        found: The predictions.
        results: `metrics.json` beside them.
        split: That of the run which made both; None if it is another's, or not known.
        folder: Of the results, for the message.

    Raises:
        UserError: They do not belong together.
    """
    number, best = len(found.class_names), found.answers
    confusion = np.bincount(found.label * number + best, minlength=number**2).reshape(number, number)
    # Of equal probabilities the results may count another one, if they were rounded when they were written.
    ties = ((found.probability == found.probability.max(axis=1, keepdims=True)).sum(axis=1) != 1).sum()
    if np.abs(confusion - np.array(results["confusion"])).sum() > 2 * ties:
        raise UserError(f"predictions.parquet and metrics.json in {folder} are not of one run: {AGAIN}.")
    check_part(found, split, results["identity"]["part"], folder)


def labels_of(runs: Sequence[Predictions]) -> pd.Series:
    """The label of every image that was tested, each image once, in the order in which they come first."""
    label, image = (np.concatenate([getattr(run, name) for run in runs]) for name in ("label", "image"))
    return pd.Series(label, index=image)[~pd.Index(image).duplicated()]


def mean_probability(runs: Sequence[Predictions]) -> np.ndarray:
    """Mean of each image's probabilities over the runs that tested it, in the order of `labels_of`, (M, C)."""
    image, probability = (np.concatenate([getattr(run, name) for run in runs]) for name in ("image", "probability"))
    return pd.DataFrame(probability).groupby(image, sort=False).mean().to_numpy()


def _softmax(logits: pd.DataFrame) -> pd.DataFrame:
    """Columns `probability/<class>` of columns `logit/<class>`."""
    values = logits.to_numpy(dtype=np.float64)
    values = np.exp(values - values.max(axis=1, keepdims=True))
    names = logits.columns.str.replace("logit/", "probability/", n=1)
    return pd.DataFrame(values / values.sum(axis=1, keepdims=True), columns=names, index=logits.index)


def grouped(image: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Whether the unit of each image is a known lesion or patient, (N,) bool."""
    return unit != "image " + image


def units_of(image: pd.Series, split: pd.DataFrame | None) -> tuple[pd.Series, pd.Series]:
    """The group of each image, and whether it has no other image; an image without a group is a unit of its own."""
    own = "image " + image
    if split is None or "group" not in split:
        return own, own.notna()
    group = image.map(split.set_index("image")["group"])
    known = group.notna() & (group != "")
    return group.where(known, own), ~known | (group.map(split["group"].value_counts()) == 1)
