"""Resamples of test images, beside confusion matrices that are drawn whole, each from a multinomial distribution.

Where every image is a unit, such matrices are as good as resamples of images, but others: intervals would move, and
two rows could not be compared on the same images. The images of a resample are thus drawn one by one, once for all rows
and scores of a table, as scipy does with the same seed. The numbers alone that this takes are a row of their own: the
first row cannot meet its goal while they take longer than that.
"""

import numpy as np
from pairs import Pair

from lightning_imbal.runs.predictions import Predictions
from lightning_imbal.stats.bootstrap import draw
from lightning_imbal.stats.resampled_scores import resampled_scores

RESAMPLES, IMAGES, CLASSES = 2000, 3000, 7
WHAT = f"bootstrap of {RESAMPLES:,} x {IMAGES:,} images"


def pairs() -> list[Pair]:
    """Rows of the table."""
    predictions = made()
    count, unit = draw(IMAGES, RESAMPLES), np.random.default_rng(0).integers(0, IMAGES // 3, IMAGES)
    of_groups = draw(IMAGES // 3, RESAMPLES)

    def numbers() -> np.ndarray:
        return np.random.default_rng(0).integers(0, IMAGES, (RESAMPLES, IMAGES), dtype=np.uint32)

    def score(weight: np.ndarray, unit: np.ndarray | None = None) -> np.ndarray:
        return resampled_scores(predictions, weight, ["f1"], unit=unit)["f1"]

    def bare() -> np.ndarray:
        return multinomial(predictions)

    drawn = "matrices from a multinomial"
    return [
        Pair(f"{WHAT}: draw, and macro F1", drawn, bare, lambda: score(draw(IMAGES, RESAMPLES)), 0.015, "s"),
        Pair(f"{WHAT}: draw", "random numbers alone", numbers, lambda: draw(IMAGES, RESAMPLES), 2.5, "x"),
        Pair(f"{WHAT}: macro F1 of a row", drawn, bare, lambda: score(count), 0.015, "s"),
        Pair(f"{WHAT} in groups: macro F1 of a row", drawn, bare, lambda: score(of_groups, unit), 0.015, "s"),
    ]


def made() -> Predictions:
    """Of a long tail of classes, each image a unit."""
    rng, share, name = np.random.default_rng(0), np.geomspace(1, 0.02, CLASSES), np.arange(IMAGES).astype(str)
    label = rng.choice(CLASSES, IMAGES, p=share / share.sum())
    odds = np.exp(rng.normal(size=(IMAGES, CLASSES)) + 2 * np.eye(CLASSES)[label])
    return Predictions(
        image=name,
        unit=name,
        alone=np.ones(IMAGES, dtype=bool),
        label=label,
        probability=odds / odds.sum(axis=1, keepdims=True),
        class_names=tuple(map(str, range(CLASSES))),
        class_counts=tuple(np.bincount(label).tolist()),
        groups={},
    )


def multinomial(predictions: Predictions) -> np.ndarray:
    """Macro F1 of confusion matrices that are drawn whole, (R,)."""
    cell = np.bincount(predictions.label * CLASSES + predictions.answers, minlength=CLASSES**2)
    drawn = np.random.default_rng(0).multinomial(IMAGES, cell / IMAGES, RESAMPLES).reshape(-1, CLASSES, CLASSES)
    hits, all_of = np.einsum("rcc->rc", drawn), drawn.sum(axis=1) + drawn.sum(axis=2)
    return (2 * hits / np.maximum(all_of, 1)).mean(axis=1)
