"""The whole tests of a row of a table: each run's own, or that of all folds of a cross-validation together.

A fold tests few images of a rare class, or none, so that the mean of its folds' F1 is biased. Their predictions, or
confusion matrices, are put together before they are scored (Forman and Scholz 2010, Apples-to-apples in
cross-validation studies, SIGKDD Explorations 12(1)). What ranks or bins probabilities, which networks of other folds
need not have on one scale, is scored in each fold and averaged: that of a class over the folds that have images of it.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import nan
from typing import Any

import numpy as np

from lightning_imbal.runs.predictions import Predictions
from lightning_imbal.runs.run import Run
from lightning_imbal.score_names import OF_PROBABILITY, OF_RANKING
from lightning_imbal.stats.resampled_scores import resampled_scores

OF_EACH_FOLD = (*OF_PROBABILITY, "ece")  # and of single classes
OF_IMAGES = ("brier", "log_loss")  # means over images


@dataclass(frozen=True, eq=False)
class Round:
    """The predictions of one whole test.

    Args:
        folds: Those of one run; or of the folds of a cross-validation, which have no image in common.
        units_once: Whether each unit (lesion, patient) counts once, however many images it has; else each image does.
    """

    folds: tuple[Predictions, ...]
    units_once: bool = False

    @cached_property
    def joined(self) -> Predictions:
        """Those of all folds; classes have as many training images as all folds together, groups are the first's."""
        first, *others = self.folds
        if not others:
            return first
        counts = np.sum([fold.class_counts for fold in self.folds], axis=0)
        return replace(
            first,
            image=np.concatenate([fold.image for fold in self.folds]),
            unit=np.concatenate([fold.unit for fold in self.folds]),
            alone=np.concatenate([fold.alone for fold in self.folds]),
            label=np.concatenate([fold.label for fold in self.folds]),
            probability=np.concatenate([fold.probability for fold in self.folds]),
            class_counts=tuple(counts.tolist()),
            decided=None if first.decided is None else np.concatenate([fold.answers for fold in self.folds]),
            attributes={
                name: np.concatenate([fold.attributes[name] for fold in self.folds])
                for name in first.attributes
                if all(name in fold.attributes for fold in others)
            },
        )

    @cached_property
    def image_weight(self) -> np.ndarray:
        """How much each image of `joined` counts, (N,): 1, or 1 / (images of its unit) if each unit counts once."""
        if not self.units_once:
            return np.ones(len(self.joined.unit))
        _, unit, images = np.unique(self.joined.unit.astype(str), return_inverse=True, return_counts=True)
        return 1 / images[unit]

    def only(self, alone: bool) -> "Round":
        """Its images whose units have no other image, or those whose units have."""
        return replace(self, folds=tuple(fold.only(fold.alone == alone) for fold in self.folds))

    def scores(
        self, names: Sequence[str], weight: np.ndarray | None = None, unit: np.ndarray | None = None
    ) -> dict[str, np.ndarray]:
        """Scores many resamples of the test.

        Args:
            names: Keys of the scores, as in `resampled_scores`.
            weight: How often each unit counts in each of R resamples, (R, U); each once by default.
            unit: The column of `weight` for each image of `joined`, (N,); by default each has one of its own.

        Returns:
            The values of each score, (R,).
        """
        weight = np.ones((1, len(self.joined.label))) if weight is None else weight
        of_image = self.image_weight if self.units_once else None
        if len(self.folds) == 1:
            return resampled_scores(self.joined, weight, names, of_image, unit)
        together = [name for name in names if not _of_each_fold(name)]
        found = resampled_scores(self.joined, weight, together, of_image, unit)
        if apart := [name for name in names if _of_each_fold(name)]:
            ends = np.cumsum([len(fold.label) for fold in self.folds])[:-1]
            unit = np.arange(len(self.joined.label)) if unit is None else unit
            of_folds = zip(self.folds, np.split(self.image_weight, ends), np.split(unit, ends), strict=True)
            parts = [
                resampled_scores(fold, weight, apart, of_part if self.units_once else None, its_units)
                for fold, of_part, its_units in of_folds
            ]
            images = [np.bincount(fold.label, minlength=len(fold.class_names)) for fold in self.folds]
            for name in apart:
                able = _folds_with(name, self.joined.class_names, images)
                found[name] = mean_known([parts[place][name] for place in able])
        return {name: found[name] for name in names}


def rounds_of(runs: Sequence[Run]) -> list[list[Run]]:
    """Puts the runs of a row that are folds of one cross-validation together; any other is by itself.

    Folds of one seed are together; where each has a seed of its own, they are too.
    """
    splits = [dict(run.identity["split"]) for run in runs]
    folds = [split.pop("fold", None) for split in splits]
    wholes = [json.dumps(split, sort_keys=True, default=str) for split in splits]
    seeds = [run.identity.get("seed") for run in runs]
    of_seed: dict[tuple[str, Any], set[int]] = defaultdict(set)
    for whole, seed, fold in zip(wholes, seeds, folds, strict=True):
        of_seed[whole, seed].add(fold)
    several = {whole for (whole, _), found in of_seed.items() if len(found) > 1}
    rounds: dict[tuple[Any, ...], list[Run]] = {}
    seen: dict[tuple[Any, ...], int] = defaultdict(int)
    for place, (run, whole, seed, fold) in enumerate(zip(runs, wholes, seeds, folds, strict=True)):
        key: tuple[Any, ...] = (place,)
        if fold is not None:
            of = (whole, seed if whole in several else None)
            # The same fold twice is a further cross-validation.
            key = (*of, seen[*of, fold])
            seen[*of, fold] += 1
        rounds.setdefault(key, []).append(run)
    return list(rounds.values())


def predicted_rounds(runs: Sequence[Run]) -> list[Round]:
    """The predictions of the rounds of a row; those of which a run has kept none are left out."""
    rounds = [[run.predictions for run in folds] for folds in rounds_of(runs)]
    return [
        Round(tuple(each for each in predictions if each is not None))
        for predictions in rounds
        if all(each is not None for each in predictions)
    ]


def joined_score(folds: Sequence[Run], key: str) -> float:
    """A score of the folds of one cross-validation together; that of a run by itself is as its files have it.

    Raises:
        UserError: A run has no such score.
    """
    values = [run.score(key) for run in folds]
    if len(folds) == 1:
        return values[0]
    if np.isnan(values).any():  # a run that is older than the score
        return nan
    images = [np.array([row["images"] for row in run.results["classes"]]) for run in folds]
    if _of_each_fold(key):
        return float(np.mean([values[place] for place in _folds_with(key, folds[0].class_names, images)]))
    if key in OF_IMAGES:
        return float(np.average(values, weights=np.sum(images, axis=1)))
    confusion = np.sum([run.results["confusion"] for run in folds], axis=0)
    return float(resampled_scores(_of_confusion(folds, confusion), confusion[confusion > 0][None], [key])[key][0])


def _of_each_fold(key: str) -> bool:
    return key.partition("/")[0] in OF_EACH_FOLD


def _folds_with(key: str, class_names: Sequence[str], images: Sequence[np.ndarray]) -> list[int]:
    """Which folds can rank the class that a score is of, by their images of each class, (C,); all if none can."""
    kind, _, part = key.partition("/")
    if kind in OF_RANKING and part:
        c = class_names.index(part)
        if able := [place for place, of_fold in enumerate(images) if 0 < of_fold[c] < of_fold.sum()]:
            return able
    return list(range(len(images)))


def mean_known(values: Sequence[np.ndarray]) -> np.ndarray:
    """Mean of several arrays without what is NaN; NaN where all are."""
    stacked = np.stack(values)
    known = ~np.isnan(stacked)
    total, number = np.where(known, stacked, 0).sum(axis=0), known.sum(axis=0)
    return np.divide(total, number, out=np.full(total.shape, np.nan), where=number > 0)


def _of_confusion(folds: Sequence[Run], confusion: np.ndarray) -> Predictions:
    """An image for each kind of outcome that a confusion matrix counts, in the order of its cells."""
    results = folds[0].results
    label, prediction = np.nonzero(confusion)
    train = np.sum([[row["train_images"] for row in run.results["classes"]] for run in folds], axis=0)
    name = np.arange(len(label)).astype(str)
    return Predictions(
        image=name,
        unit=name,
        alone=np.ones(len(label), dtype=bool),
        label=label,
        probability=np.eye(len(train))[prediction],
        class_names=tuple(folds[0].class_names),
        class_counts=tuple(train.tolist()),
        groups={group: tuple(row["classes"]) for group, row in results["groups"].items()},
    )
