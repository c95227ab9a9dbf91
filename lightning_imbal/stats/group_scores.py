"""Scores in which each group of images (lesion, patient) counts once, beside those in which each image does.

An image counts 1 / (images of its group in the test part). So a lesion with nine pictures is no more than one with a
single picture, but each of its pictures keeps its own answer; what is pooled (`runs.pooling`) has one answer for all.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd

from lightning_imbal.runs.predictions import Predictions
from lightning_imbal.score_names import GROUPS_ONCE, GROUPS_ONCE_OF_CLASS
from lightning_imbal.stats.column_scores import Block
from lightning_imbal.stats.compared import Compared
from lightning_imbal.stats.rounds import Round, predicted_rounds

ONCE = "Each group of images (lesion, patient) once: an image counts 1 / (images of its group in the test part)."
COLUMNS = ["row", "dataset", "backbone", "score", "class", "groups", "value", "low", "high", "of_images"]


def group_scores(rows: dict[str, list[Round]], average: Literal["mean", "median"] = "mean") -> pd.DataFrame:
    """The scores of rows in which each group counts once.

    Units are resampled as for the other scores, each with all its images and their weights; intervals are made alike.

    Args:
        rows: The rounds of each row.
        average: Taken over the rounds of a row.

    Returns:
        One row per row and score, of those rows that have a group of several images: `row`; `score` and `class` (empty:
        of all); `groups` that were tested, of the class or in all, an image without one being one of its own; `value`,
        with its 95 % interval `low` and `high` (NaN if there is none); `of_images`, in which each image counts once.
    """
    rows = {name: rounds for name, rounds in rows.items() if any(has_groups(each.joined) for each in rounds)}
    if not rows:
        return pd.DataFrame(columns=[name for name in COLUMNS if name not in ("dataset", "backbone")])
    class_names = next(iter(rows.values()))[0].joined.class_names
    keys = [*GROUPS_ONCE, *(f"{score}/{name}" for score in GROUPS_ONCE_OF_CLASS for name in class_names)]
    once = {name: [replace(each, units_once=True) for each in rounds] for name, rounds in rows.items()}
    compared = Compared(once, keys, average)
    found = []
    for name, row in compared.rows.items():
        of_images = [each.scores(keys) for each in rows[name]]
        units = dict(zip(class_names, row.counts.units.tolist(), strict=True))
        for key in keys:
            score, _, of_class = key.partition("/")
            groups = units[of_class] if of_class else number_of_units(rows[name])
            by_images = float((np.median if average == "median" else np.mean)([each[key][0] for each in of_images]))
            found.append((name, score, of_class, groups, row.value(key), *row.interval(key), by_images))
    return pd.DataFrame(found, columns=[name for name in COLUMNS if name not in ("dataset", "backbone")])


def group_scores_of(blocks: Sequence[Block]) -> pd.DataFrame:
    """The same of the columns of a table, in its scale; with the `dataset` and the `backbone` of the column."""
    found = []
    for block in blocks:
        scores = group_scores({name: predicted_rounds(block.done[name]) for name in block.known}, block.spec.average)
        numbers = ["value", "low", "high", "of_images"]
        scores[numbers] = scores[numbers].astype(float) * block.spec.scale
        found.append(scores.assign(dataset=block.column.dataset, backbone=block.column.backbone))
    known = [scores for scores in found if len(scores)]
    return pd.concat(known, ignore_index=True)[COLUMNS] if known else pd.DataFrame(columns=COLUMNS)


def has_groups(predictions: Predictions) -> bool:
    """Whether several of the images are of one lesion or patient."""
    return len(np.unique(predictions.unit.astype(str))) < len(predictions.unit)


def number_of_units(rounds: Iterable[Round]) -> int:
    """How many units were tested in all."""
    return len(np.unique(np.concatenate([each.joined.unit.astype(str) for each in rounds])))
