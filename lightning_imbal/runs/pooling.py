"""Several images of one lesion or patient as one: their probabilities put together."""

from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd

from lightning_imbal.errors import UserError
from lightning_imbal.runs.predictions import Predictions, grouped

Pool = Literal["mean", "max"]
HOW = "(--data.group_column, --data.group_pattern for names of files, or --data.dicom_group)"


def pooled(predictions: Predictions, how: Pool) -> Predictions:
    """One row for each unit (lesion, patient), whose id is that of the unit; see `pooled_probability`.

    An image whose unit is not known stays by itself, under its own id.

    Args:
        predictions: Of N images.
        how: `mean` or `max`.

    Raises:
        UserError: No unit is known, or the images of one are of several classes.
    """
    check_units(predictions.image, predictions.unit, np.array(predictions.class_names)[predictions.label])
    row = np.where(predictions.grouped, predictions.unit, predictions.image)
    kept = predictions.only(~pd.Index(row).duplicated())
    probability = pooled_probability(predictions.probability, row, how)
    pooled_attributes = {name: _shared(values, row) for name, values in predictions.attributes.items()}
    image = probability.index.to_numpy()
    return replace(kept, image=image, probability=probability.to_numpy(), decided=None, attributes=pooled_attributes)


def _shared(values: np.ndarray, row: np.ndarray) -> np.ndarray:
    """The value that all images of a row have, (M,) text; empty, as not known, where they have several."""
    of_row = pd.Series(values, dtype=object).groupby(row.astype(object), sort=False)
    return of_row.first().where(of_row.nunique() == 1, "").to_numpy()


def pooled_probability(probability: np.ndarray, row: pd.Index | np.ndarray, how: Pool) -> pd.DataFrame:
    """The mean, or the largest, of each class's probability over the images of a row.

    What is largest is scaled to a sum of one.

    Args:
        probability: Of N images, (N, C).
        row: What each image belongs to, (N,) text.
        how: `mean` or `max`.

    Returns:
        (M, C), in the order in which the rows come first, with their names as the index.
    """
    table = pd.DataFrame(probability).groupby(np.asarray(row, dtype=object), sort=False).agg(how)
    return table.div(table.sum(axis=1), axis=0) if how == "max" else table


def check_units(image: np.ndarray, unit: np.ndarray, label: np.ndarray) -> None:
    """Refuses images that cannot be pooled.

    Args:
        image: Ids, (N,) text.
        unit: As in `Predictions`, (N,) text.
        label: Names of the true classes, (N,) text.

    Raises:
        UserError: No unit is known, or the images of one are of several classes, or an image is called as a unit is.
    """
    known = grouped(image, unit)
    if not known.any():
        raise UserError(f"Nothing can be pooled, for no lesion or patient of the images is known: name it {HOW}.")
    labels = pd.Series(label[known]).groupby(unit[known].astype(object), sort=False).unique()
    several = labels[labels.map(len) > 1]
    if len(several):
        raise UserError(
            f"{several.index[0]} has images of {several.iloc[0][0]} and of {several.iloc[0][1]}, so that they cannot "
            f"be pooled: group what has one label, such as the images of one lesion or one eye {HOW}."
        )
    if len(both := labels.index.intersection(image[~known])):
        raise UserError(
            f"{both[0]} is the name of a group and of an image that is in none, so that they cannot be told apart: "
            "rename one of them."
        )
