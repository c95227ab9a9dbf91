"""Answers that need no training: the floor that a trained network must rise above."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lightning_imbal.runs.predictions import Predictions
from lightning_imbal.stats.rounds import Round

MAJORITY, DRAWN = "majority class", "draw from the prior"
FLOORS = (MAJORITY, DRAWN)


def floors_of(rounds: Sequence[Round]) -> dict[str, list[Round]]:
    """What rows without any training answer on the images of a row that was run, to be scored as that one is.

    The majority class is that with most training images, for every image. From the prior a class is drawn for each
    image, each as often as it is among the training images, with a fixed seed for each run. Both give their answer a
    probability of 1.

    Args:
        rounds: Of the row that was run.

    Returns:
        The rounds of each floor, by its name.
    """
    found: dict[str, list[Round]] = {name: [] for name in FLOORS}
    for number, each in enumerate(rounds):
        draws = [np.random.default_rng([number, fold]) for fold in range(len(each.folds))]
        found[MAJORITY].append(Round(tuple(map(_majority, each.folds))))
        found[DRAWN].append(Round(tuple(map(_drawn, each.folds, draws))))
    return found


def _majority(run: Predictions) -> Predictions:
    return _answered(run, np.full(len(run.label), np.argmax(run.class_counts)))


def _drawn(run: Predictions, rng: np.random.Generator) -> Predictions:
    prior = np.array(run.class_counts) / sum(run.class_counts)
    return _answered(run, rng.choice(len(prior), size=len(run.label), p=prior))


def _answered(run: Predictions, answer: np.ndarray) -> Predictions:
    return replace(run, probability=np.eye(len(run.class_names))[answer], decided=None)
