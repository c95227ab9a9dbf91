"""What is measured in worlds with known scores: do intervals hold, are equal rows told apart, is a lead true?

A measure draws so many test parts and networks and gives, by what is asked and by score, a value of each repetition:
mostly whether something was so, 1 or 0.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import binom
from worlds import World

from lightning_imbal.runs.predictions import Predictions
from lightning_imbal.stats.bootstrap import SIGNIFICANT, holm
from lightning_imbal.stats.calibration import calibrated_point
from lightning_imbal.stats.compared import Compared
from lightning_imbal.stats.mcnemar import mcnemar_p_value
from lightning_imbal.stats.proportions import wilson
from lightning_imbal.stats.rounds import Round

Found = dict[str, dict[str, list[float]]]
Measure = Callable[[np.random.Generator, int], Found]

UNLESS_FEW = "macro grade error"  # which has no interval where a class has few units
SUMMARIES = {
    "accuracy": "accuracy",
    "balanced accuracy": "balanced_accuracy",
    "macro F1": "f1",
    "macro precision": "precision",
    "MCC": "mcc",
    "kappa": "kappa",
    "grade error": "mean_grade_error",
    "adjacent accuracy": "adjacent_accuracy",
    UNLESS_FEW: "macro_grade_error",
    "AUC": "auc",
}
OF_CLASS = {"recall": "recall", "F1": "f1", "precision": "precision"}
RANKED = {"AUC": "auc"}  # whose intervals that of the mean may need
TESTED = {name: SUMMARIES[name] for name in ("macro F1", "balanced accuracy", "accuracy")}

ALL, CLASS, PRECISION, BIAS = "interval", "interval of a class", "interval of a class, if any", "bias"
WORSE, STAR = "any row called worse than the best", "any row with a star"
LEAD, CORRECTED = "lead of the winner", "lead of the winner, corrected"
REJECTED, ABOVE, EXACT = "p below 0.05", "above the point of calibrated networks", "coverage, exact"


@dataclass(frozen=True)
class Coverage:
    """Whether the 95 % intervals of a row hold the true scores, and how far the scores are from those on average.

    Those of one network are true for it; those of several for the mean of all networks of the method.

    Args:
        world: That test parts and networks are drawn from.
        seeds: Number of networks that are tested on the same images.
        folds: Number of networks that are each tested on their own part of the images instead, if any.
        resamples: Of the bootstrap; the tables take 2000.
        units_once: Whether each lesion counts once, not each image: the images of a lesion are drawn like any others,
            so that the true scores are the same, but for the share of a class of few images, whose last lesion is cut.
    """

    world: World
    seeds: int = 1
    folds: int = 0
    resamples: int = 400
    units_once: bool = False

    def __call__(self, rng: np.random.Generator, repetitions: int) -> Found:
        names, rarest = self.world.names, int(np.argmin(self.world.counts))
        of_class = {name: [f"{key}/{each}" for each in names] for name, key in (OF_CLASS | RANKED).items()}
        of_rarest = {f"{name} of the rarest": of_class[name][rarest] for name in OF_CLASS}
        keys = [*SUMMARIES.values(), *(key for of_names in of_class.values() for key in of_names)]
        true = self.world.truth(keys)
        found: Found = defaultdict(lambda: defaultdict(list))
        for seed in range(repetitions):
            networks = rng.integers(0, self.world.networks, self.folds or self.seeds)
            images = self.world.images(rng)
            rounds = [images.cross_validated(networks, rng)] if self.folds else images.rounds(networks, rng)
            rounds = [replace(each, units_once=self.units_once) for each in rounds]
            row = Compared({"row": rounds}, keys, resamples=self.resamples, seed=seed).rows["row"]
            aim = {key: float((true[key] if self.seeds > 1 else true[key][networks]).mean()) for key in keys}
            for name, key in SUMMARIES.items():
                if not (name == UNLESS_FEW and row.few(key)):
                    found[ALL][name].append(_holds(row.interval(key), aim[key]))
            for name, key in (SUMMARIES | of_rarest).items():
                found[BIAS][name].append(float(row.observed[key].mean()) - aim[key])
            for name in OF_CLASS:
                intervals = [row.interval(key) for key in of_class[name]]
                holds = np.array([_holds(each, aim[key]) for each, key in zip(intervals, of_class[name], strict=True)])
                if name == "precision":  # of a class that was never predicted there is none
                    holds[np.isnan(intervals).any(axis=1)] = np.nan
                what = PRECISION if name == "precision" else CLASS
                found[what][f"{name} of the rarest"].append(float(holds[rarest]))
                found[what][f"{name} of any"].append(float(np.nanmean(holds)))
        return found


@dataclass(frozen=True)
class EqualRows:
    """How often rows that are equal are told apart, and how far the best of them seems ahead of the first one.

    Args:
        world: That test parts and networks are drawn from.
        rows: Number of methods; the networks of each are drawn from the same ones.
        seeds: Number of networks of each.
        resamples: Of the bootstrap; the tables take 2000.
    """

    world: World
    rows: int
    seeds: int = 1
    resamples: int = 300

    def __call__(self, rng: np.random.Generator, repetitions: int) -> Found:
        found: Found = defaultdict(lambda: defaultdict(list))
        names = [f"row {number}" for number in range(self.rows)]
        first, *others = names
        for seed in range(repetitions):
            images = self.world.images(rng)
            drawn = rng.integers(0, self.world.networks, (self.rows, self.seeds))
            rows = {name: images.rounds(networks, rng) for name, networks in zip(names, drawn, strict=True)}
            compared = Compared(rows, list(TESTED.values()), resamples=self.resamples, seed=seed)
            for score, key in TESTED.items():
                _, beside = compared.beside_best(names, key)
                stars = holm([compared.p_value(name, first, key) for name in others])
                lead = max(compared.rows[name].observed[key].mean() for name in others)
                found[WORSE][score].append(min(beside.values()) < SIGNIFICANT)
                found[STAR][score].append(min(stars) < SIGNIFICANT)
                found[LEAD][score].append(lead - compared.rows[first].observed[key].mean())
                found[CORRECTED][score].append(compared.corrected_advantage(others, first, key))
        return found


@dataclass(frozen=True)
class McNemar:
    """How often McNemar's test tells two equal networks apart."""

    world: World

    def __call__(self, rng: np.random.Generator, repetitions: int) -> Found:
        drawn: list[float] = []
        for _ in range(repetitions):
            images = self.world.images(rng)
            drawn.append(mcnemar_p_value([images.predicted(0, rng)], [images.predicted(0, rng)]) < SIGNIFICANT)
        return {REJECTED: {"McNemar": drawn}}


@dataclass(frozen=True)
class Calibration:
    """How often the calibration error of calibrated networks is above the point that it should rarely exceed.

    Args:
        world: That test parts are drawn from; labels are drawn by the networks' probabilities.
        folds: Number of networks that are each tested on their own part of the images; one tests all by default.
    """

    world: World
    folds: int = 1

    def __call__(self, rng: np.random.Generator, repetitions: int) -> Found:
        drawn: list[float] = []
        for seed in range(repetitions):
            tested = self.world.images(rng).cross_validated([0] * self.folds, rng)
            calibrated = Round(tuple(_calibrated(fold, rng) for fold in tested.folds))
            drawn.append(float(calibrated.scores(["ece"])["ece"][0]) > calibrated_point([calibrated], seed))
        return {ABOVE: {"ECE": drawn}}


@dataclass(frozen=True)
class ExactWilson:
    """The coverage of Wilson's interval, from all outcomes: nothing is drawn.

    Args:
        images: That are classified.
        shares: True shares of those that are classified right.
    """

    images: int
    shares: Sequence[float]

    def __call__(self, rng: np.random.Generator, repetitions: int) -> Found:
        return {EXACT: {f"share {share}": [self.coverage(share)] for share in self.shares}}

    def coverage(self, share: float) -> float:
        """The probability that the interval holds a true share."""
        hits = np.arange(self.images + 1)
        holds = [_holds(wilson(number / self.images, self.images), share) for number in hits]
        return float(binom.pmf(hits, self.images, share) @ holds)


def _holds(interval: tuple[float, float], value: float) -> float:
    low, high = interval
    return float(low <= value <= high)


def _calibrated(run: Predictions, rng: np.random.Generator) -> Predictions:
    """Draws the labels by the probabilities, alike in the images of a unit."""
    known, place = np.unique(run.unit, return_inverse=True)
    below = run.probability.cumsum(axis=1) > rng.random((len(known), 1))[place]
    return replace(run, label=below.argmax(axis=1))
