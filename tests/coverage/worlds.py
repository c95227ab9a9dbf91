"""Worlds in which the true scores are known: classes, lesions, and networks whose answers are drawn."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property

import numpy as np
from scipy.special import softmax

from lightning_imbal.runs.predictions import Predictions
from lightning_imbal.stats.resampled_scores import resampled_scores
from lightning_imbal.stats.rounds import Round

POPULATION = 20_000  # images of each class that the true scores are of
CHANCE = 0.5  # deviation of what only one network sees in an image


@dataclass(frozen=True)
class World:
    """Where test parts, and networks that are tested on them, are drawn from.

    The logits of an image are those of its class, those that all networks see in it, those that one network adds to all
    images, and those that it alone sees in this one; all are normal. What is seen in the images of a lesion is alike.

    Args:
        counts: Test images of each class.
        skill: How far the logit of the true class is above the others, of each class.
        largest: Number of images that a lesion may have; lesions of 1 to so many are equally frequent.
        together: Share of the variance of what is seen in images that those of a lesion have in common.
        training: Deviation of the logits of the networks of a method: the chance of training.
        networks: How many networks a method has: any training gives one of them.
        seed: Of the networks.
    """

    counts: tuple[int, ...]
    skill: tuple[float, ...]
    largest: int = 1
    together: float = 0.7
    training: float = 0.0
    networks: int = 40
    seed: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"class {c}" for c in range(len(self.counts)))

    @cached_property
    def bias(self) -> np.ndarray:
        """What each network adds to the logits, (networks, C)."""
        rng = np.random.default_rng([self.seed, 1])
        return self.training * rng.standard_normal((self.networks, len(self.counts)))

    @cached_property
    def _population(self) -> tuple[np.ndarray, np.ndarray]:
        """Label and logits, without a network's, of images of each class, as many of each."""
        label = np.repeat(np.arange(len(self.counts)), POPULATION)
        rng = np.random.default_rng([self.seed, 2])
        logits = np.sqrt(1 + CHANCE**2) * rng.standard_normal((len(label), len(self.counts)))
        logits[np.arange(len(label)), label] += np.array(self.skill)[label]
        return label, logits

    def truth(self, names: Sequence[str]) -> dict[str, np.ndarray]:
        """The scores of each network on all images that there could be, with classes as frequent as in a test part.

        Args:
            names: Keys of the scores.

        Returns:
            The scores by their keys, (networks,).
        """
        # Which images are of a lesion does not matter to them.
        return _truth(replace(self, largest=1, together=0.0), tuple(names))

    def images(self, rng: np.random.Generator) -> "Images":
        """Draws a test part."""
        label = np.repeat(np.arange(len(self.counts)), self.counts)
        unit = np.arange(len(label))
        if self.largest > 1:
            sizes = rng.integers(1, self.largest + 1, len(label))
            ends = np.cumsum(self.counts)
            # A lesion ends where its class does.
            begins = np.union1d(np.r_[0, np.cumsum(sizes)], np.r_[0, ends])
            unit = np.searchsorted(begins, unit, side="right") - 1
        logits = self.of_units(unit, rng)
        logits[np.arange(len(label)), label] += np.array(self.skill)[label]
        return Images(self, label, unit, logits)

    def of_units(self, unit: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draws normal logits of images, (N, C), which those of a lesion have in common in part."""
        share = self.together if self.largest > 1 else 0.0
        of_unit = rng.standard_normal((unit.max() + 1, len(self.counts)))[unit]
        return np.sqrt(share) * of_unit + np.sqrt(1 - share) * rng.standard_normal(of_unit.shape)

    def _predictions(
        self, label: np.ndarray, logits: np.ndarray, unit: np.ndarray | None = None, image: np.ndarray | None = None
    ) -> Predictions:
        image = np.arange(len(label)) if image is None else image
        names = np.char.add("i", np.char.zfill(image.astype(str), 6))
        return Predictions(
            image=names,
            unit=names if unit is None else np.char.add("u", np.char.zfill(unit.astype(str), 6)),
            alone=np.ones(len(label), dtype=bool),
            label=label,
            probability=softmax(2 * logits, axis=1),
            class_names=self.names,
            class_counts=tuple(count * 4 for count in self.counts),
            groups={},
        )


@cache
def _truth(world: World, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    label, logits = world._population
    weight = np.array(world.counts, dtype=np.float64)[label][None]
    found = [resampled_scores(world._predictions(label, logits + bias), weight, names) for bias in world.bias]
    return {name: np.concatenate([scores[name] for scores in found]) for name in names}


@dataclass(frozen=True, eq=False)
class Images:
    """A test part of a world."""

    world: World
    label: np.ndarray
    unit: np.ndarray
    logits: np.ndarray

    def predicted(self, network: int, rng: np.random.Generator, rows: np.ndarray | None = None) -> Predictions:
        """What a network answers, for some of the images."""
        rows = np.arange(len(self.label)) if rows is None else rows
        chance = CHANCE * self.world.of_units(self.unit[rows], rng)
        logits = self.logits[rows] + self.world.bias[network] + chance
        return self.world._predictions(self.label[rows], logits, self.unit[rows], rows)

    def rounds(self, networks: Sequence[int], rng: np.random.Generator) -> list[Round]:
        """A round for each of several networks."""
        return [Round((self.predicted(network, rng),)) for network in networks]

    def cross_validated(self, networks: Sequence[int], rng: np.random.Generator) -> Round:
        """A cross-validation: each of several networks answers for a fold of the images, drawn class by class."""
        order = np.lexsort((rng.random(len(self.label)), self.label))
        fold = np.empty(len(order), dtype=np.int64)
        fold[order] = np.arange(len(order)) % len(networks)
        folds = (self.predicted(n, rng, np.flatnonzero(fold == place)) for place, n in enumerate(networks))
        return Round(tuple(folds))


ISIC = (1341, 223, 220, 103, 65, 28, 23)
