"""Worlds in which the true scores are known: classes, lesions, and networks whose answers are drawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import softmax

from lightning_imbal.runs.predictions import Predictions
from lightning_imbal.stats.resampled_scores import resampled_scores
from lightning_imbal.stats.rounds import Round

POPULATION = 20_000  # images of each class that the true scores are of


@dataclass(frozen=True, eq=False)
class World:
    """Where test parts, and networks that are tested on them, are drawn from.

    The logits of an image are those of its class, of its lesion, its own, those of the network and what only chance
    knows; all normal.

    Args:
        counts: Test images of each class.
        skill: How far the logit of the true class is above the others, of each class.
        largest: Number of images that a lesion may have; lesions of 1 to so many are equally frequent.
        together: Share of the variance of images that those of a lesion have in common.
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
        logits = np.sqrt(1 + 0.5**2) * rng.standard_normal((len(label), len(self.counts)))
        logits[np.arange(len(label)), label] += np.array(self.skill)[label]
        return label, logits

    def truth(self, names: Sequence[str], networks: Sequence[int]) -> dict[str, np.ndarray]:
        """The scores of networks on all images that there could be, with classes as frequent as in a test part."""
        label, logits = self._population
        weight = np.array(self.counts, dtype=np.float64)[label][None]
        found = [resampled_scores(self._predictions(label, logits + self.bias[n]), weight, names) for n in networks]
        return {name: np.concatenate([scores[name] for scores in found]) for name in names}

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
        shape = len(label), len(self.counts)
        of_unit = rng.standard_normal(shape)[unit]
        share = self.together if self.largest > 1 else 0.0
        logits = np.sqrt(share) * of_unit + np.sqrt(1 - share) * rng.standard_normal(shape)
        logits[np.arange(len(label)), label] += np.array(self.skill)[label]
        return Images(self, label, unit, logits)

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
        chance = 0.5 * rng.standard_normal((len(rows), len(self.world.counts)))
        logits = self.logits[rows] + self.world.bias[network] + chance
        return self.world._predictions(self.label[rows], logits, self.unit[rows], rows)

    def rounds(self, networks: Sequence[int], rng: np.random.Generator) -> list[Round]:
        """A round for each of several networks."""
        return [Round((self.predicted(network, rng),)) for network in networks]

    def cross_validated(self, networks: Sequence[int], rng: np.random.Generator) -> Round:
        """One round: a fold for each of several networks, drawn class by class."""
        order = np.lexsort((rng.random(len(self.label)), self.label))
        fold = np.empty(len(order), dtype=np.int64)
        fold[order] = np.arange(len(order)) % len(networks)
        folds = (self.predicted(n, rng, np.flatnonzero(fold == place)) for place, n in enumerate(networks))
        return Round(tuple(folds))


ISIC = (1341, 223, 220, 103, 65, 28, 23)
