"""What finished runs got right and wrong: confusion, calibration, worst images, learning curves, map of features."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import nan

import numpy as np
import pandas as pd

from lightning_imbal.runs.predictions import Predictions, labels_of, mean_probability
from lightning_imbal.runs.run import Run
from lightning_imbal.stats.calibration import calibrated_point
from lightning_imbal.stats.resamples import NUM_BINS, bin_of
from lightning_imbal.stats.rounds import Round, rounds_of

VALIDATED = ("f1", "balanced_accuracy")  # scores whose curves are drawn
CURVES = ("train/loss", "val/loss", *(f"val/{key}" for key in VALIDATED))
CURVE_COLUMNS = ["run", "stage", "epoch", "score", "value"]
WORST_COLUMNS = ["image", "label", "predicted", "probability", "confidence", "run"]


@dataclass(frozen=True)
class Reliability:
    """How far the confidence of predictions is from how often they are right.

    Args:
        bins: One row per bin of confidence that has images: `low`, `high`, `confidence` (mean), `accuracy`, `images`.
        ece: Expected calibration error (Guo et al. 2017, arXiv:1706.04599, eq. 3), the mean over the runs.
        images: Number of predictions.
        calibrated: What that of calibrated networks would not exceed in 95 of 100 test sets of this size; NaN of a
            group of classes, whose images even calibrated networks are more or less sure of than right.
    """

    bins: pd.DataFrame
    ece: float
    images: int
    calibrated: float = nan


def confusion(runs: Sequence[Run]) -> np.ndarray:
    """Test images by true class (rows) and predicted class (columns), summed over the runs, (C, C) integers."""
    return np.sum([run.results["confusion"] for run in runs], axis=0)


def reliability(runs: Sequence[Run]) -> dict[str, Reliability]:
    """Calibration of the predictions of all runs, in 15 bins of confidence: bins of all together, errors averaged.

    Returns:
        "all", then every group of classes: the images whose true class is in it. A group without images is left out,
        and there is nothing if no run has predictions.
    """
    known = [run.predictions for run in runs if run.predictions is not None]
    if not known:
        return {}
    names = np.array(known[0].class_names)
    members = {"all": names} | known[0].groups
    found = {}
    for group, classes in members.items():
        parts = [run.only(np.isin(names, list(classes))[run.label]) for run in known]
        if parts := [part for part in parts if len(part.label)]:
            found[group] = _reliability(parts)
    rounds = [Round((run,)) for run in known]
    return found | {"all": replace(found["all"], calibrated=calibrated_point(rounds))}


def _reliability(parts: Sequence[Predictions]) -> Reliability:
    each = [Round((part,)) for part in parts]
    # Rounding may have left a mean of softmax outputs just above 1.
    probability = np.concatenate([part.probability for part in parts]).clip(0, 1)
    confidence = probability.max(axis=1)
    correct = probability.argmax(axis=1) == np.concatenate([part.label for part in parts])
    table = pd.DataFrame({"confidence": confidence, "accuracy": correct.astype(float), "images": 1})
    table = table.groupby(bin_of(confidence))
    bins = table.agg({"confidence": "mean", "accuracy": "mean", "images": "sum"})
    bins.insert(0, "low", bins.index / NUM_BINS)
    bins.insert(1, "high", (bins.index + 1) / NUM_BINS)
    ece = float(np.mean([part.scores(["ece"])["ece"] for part in each]))
    return Reliability(bins.reset_index(drop=True), ece, len(confidence))


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
        `run` (its title), `stage`, `epoch` (from 1), `score` (such as "train/loss" or "val/f1/nevus"), `value`.
    """
    curves = [
        _curves(table).assign(run=run.repeat_title, stage=stage.name)
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


def test_counts(rows: Sequence[Sequence[Run]]) -> dict[str, int]:
    """Number of test images of every class, in label order: folds test different images, seeds the same ones.

    Args:
        rows: The runs of each method; images of different methods are never added.
    """
    tested = [
        np.sum([[row["images"] for row in run.results["classes"]] for run in folds], axis=0)
        for runs in rows
        for folds in rounds_of(runs)
    ]
    return dict(zip(rows[0][0].class_names, np.max(tested, axis=0).tolist(), strict=True))
