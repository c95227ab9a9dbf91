"""What finished runs got right and wrong: confusion, calibration, worst images, learning curves, map of features."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lightning_imbal.runs.predictions import labels_of, mean_probability
from lightning_imbal.runs.run import Run
from lightning_imbal.stats.resamples import NUM_BINS, bin_of

VALIDATED = ("f1", "balanced_accuracy")  # scores whose curves are drawn
CURVES = ("train/loss", "val/loss", *(f"val/{key}" for key in VALIDATED))
CURVE_COLUMNS = ["run", "stage", "epoch", "score", "value"]
WORST_COLUMNS = ["image", "label", "predicted", "probability", "confidence", "run"]


@dataclass(frozen=True)
class Reliability:
    """How far the confidence of predictions is from how often they are right.

    Args:
        bins: One row per bin of confidence that has images: `low`, `high`, `confidence` (mean), `accuracy`, `images`.
        ece: Expected calibration error (Guo et al. 2017, arXiv:1706.04599, eq. 3).
        images: Number of predictions.
    """

    bins: pd.DataFrame
    ece: float
    images: int


def confusion(runs: Sequence[Run]) -> np.ndarray:
    """Test images by true class (rows) and predicted class (columns), summed over the runs, (C, C) integers."""
    return np.sum([run.results["confusion"] for run in runs], axis=0)


def reliability(runs: Sequence[Run]) -> dict[str, Reliability]:
    """Calibration of the predictions of all runs together, in 15 bins of confidence.

    Returns:
        "all", then every group of classes: the images whose true class is in it. A group without images is left out,
        and there is nothing if no run has predictions.
    """
    known = [run.predictions for run in runs if run.predictions is not None]
    if not known:
        return {}
    label = np.concatenate([each.label for each in known])
    # Rounding may have left a mean of softmax outputs just above 1.
    probability = np.concatenate([each.probability for each in known]).clip(0, 1)
    confidence, correct = probability.max(axis=1), probability.argmax(axis=1) == label
    names = np.array(known[0].class_names)
    members = {"all": names} | known[0].groups
    chosen = {group: np.isin(names, list(classes))[label] for group, classes in members.items()}
    return {group: _reliability(confidence[rows], correct[rows]) for group, rows in chosen.items() if rows.any()}


def _reliability(confidence: np.ndarray, correct: np.ndarray) -> Reliability:
    table = pd.DataFrame({"confidence": confidence, "accuracy": correct.astype(float), "images": 1})
    table = table.groupby(bin_of(confidence))
    bins = table.agg({"confidence": "mean", "accuracy": "mean", "images": "sum"})
    bins.insert(0, "low", bins.index / NUM_BINS)
    bins.insert(1, "high", (bins.index + 1) / NUM_BINS)
    gap = (bins["confidence"] - bins["accuracy"]).abs()
    return Reliability(bins.reset_index(drop=True), float(np.average(gap, weights=bins["images"])), len(confidence))


def worst(runs: Sequence[Run], number: int = 24) -> pd.DataFrame:
    """The misclassified images, those with the least probability of their true class first.

    So that rare classes are seen, the worst image of each class comes first, from the class with fewest training images
    to that with most; then the second worst of each; and so on.

    Args:
        runs: Runs with the same classes.
        number: Of images, at most.

    Returns:
        `image`, `label`, `predicted`, `probability` (of the true class), `confidence` (probability of the predicted
        class), `run` (index in `runs` of one that tested the image). Probabilities are means over the runs that tested
        the image.
    """
    known = [(place, run.predictions) for place, run in enumerate(runs) if run.predictions is not None]
    if not known:
        return pd.DataFrame(columns=WORST_COLUMNS)
    predictions = [each for _, each in known]
    names, counts = np.array(predictions[0].class_names), np.array(predictions[0].class_counts)
    label, probability = labels_of(predictions), mean_probability(predictions)
    tested_by = pd.concat([pd.Series(place, index=each.image) for place, each in known])
    table = pd.DataFrame(
        {
            "image": label.index,
            "label": label.to_numpy(),
            "run": tested_by[~tested_by.index.duplicated()].to_numpy(),
            "predicted": probability.argmax(axis=1),
            "probability": probability[np.arange(len(label)), label],
            "confidence": probability.max(axis=1),
        }
    )
    table = table[table["predicted"] != table["label"]].sort_values(["probability", "image"])
    table["rank"] = table.groupby("label").cumcount()
    table["train_images"] = counts[table["label"]]
    table = table.sort_values(["rank", "train_images", "label"]).head(number)
    table["label"], table["predicted"] = names[table["label"]], names[table["predicted"]]
    return table[WORST_COLUMNS].reset_index(drop=True)


def learning_curves(runs: Sequence[Run]) -> pd.DataFrame:
    """Losses and validation scores of every epoch, from the `metrics.csv` of every stage.

    Returns:
        `run` (its seed or fold), `stage`, `epoch` (from 1), `score` (such as "train/loss" or "val/f1/nevus"), `value`.
    """
    curves = [
        _curves(table).assign(run=run.repeat, stage=stage.name)
        for run in runs
        for stage in run.stages
        if (table := stage.curves()) is not None
    ]
    return pd.concat(curves, ignore_index=True)[CURVE_COLUMNS] if curves else pd.DataFrame(columns=CURVE_COLUMNS)


def _curves(table: pd.DataFrame) -> pd.DataFrame:
    scores = [name for name in table if name in CURVES or name.startswith("val/f1/")]
    curves = table.melt("epoch", scores, var_name="score").dropna()
    # A run that was resumed has written the epochs that it repeated twice.
    curves = curves.drop_duplicates(["epoch", "score"], keep="last")
    return curves.assign(epoch=curves["epoch"].astype(int) + 1)


def test_counts(runs: Sequence[Run]) -> dict[str, int]:
    """Number of test images of every class, in label order: folds test different images, seeds the same ones."""
    largest = np.max([[row["images"] for row in run.results["classes"]] for run in runs], axis=0)
    known = [run.predictions for run in runs if run.predictions is not None]
    if known:
        # Runs without predictions may have tested more.
        largest = np.maximum(largest, np.bincount(labels_of(known), minlength=len(largest)))
    return dict(zip(runs[0].class_names, largest.tolist(), strict=True))
