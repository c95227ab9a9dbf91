"""What a decision rule is, and what comes of one: a decision, which answers for probabilities."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lightning_imbal.decisions.confusions import Confusions, KnownClasses
from lightning_imbal.errors import UserError
from lightning_imbal.wording import did_you_mean

NO_ANSWER = -1


@dataclass(eq=False)
class Labelled:
    """Images whose classes are known, such as those of a validation part.

    Args:
        probability: What a network gives for them, (N, C) float64; rows sum to one.
        label: True classes, (N,) int64.
        unit: The lesion or patient of each image, or "image <id>" where it is not known, (N,) text.
        class_names: Name of each class, in label order.
        class_counts: Number of training images of each class, in label order.
        groups: Class names of each group.
        weight: How much each image counts, (N,) float64; 1 by default.
    """

    probability: np.ndarray
    label: np.ndarray
    unit: np.ndarray
    class_names: tuple[str, ...]
    class_counts: tuple[int, ...]
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    weight: np.ndarray = field(default_factory=lambda: np.ones(0))

    def __post_init__(self) -> None:
        if len(self.weight) != len(self.label):
            self.weight = np.ones(len(self.label))

    @property
    def classes(self) -> KnownClasses:
        """What scores must know of the classes."""
        present = np.bincount(self.label, minlength=len(self.class_names)) > 0
        return KnownClasses(self.class_names, self.groups, int(np.argmin(self.class_counts)), present)

    def confusions(self, answers: np.ndarray) -> Confusions:
        """Counts what R rules answer, (R, N) labels; each image with its weight."""
        number, rules = len(self.class_names), len(answers)
        cell = (self.label * number + answers) * rules + np.arange(rules)[:, None]
        weight = np.broadcast_to(self.weight, answers.shape)
        counts = np.bincount(cell.ravel(), weight.ravel(), number**2 * rules)
        return Confusions(self.classes, counts.reshape(number, number, rules))


@dataclass(eq=False)
class Decision:
    """Answers for probabilities.

    First the probabilities are multiplied by `ratio` and scaled to a sum of one. Where the largest is below
    `confidence` there is no answer; else the answer is the first class of `thresholds` whose probability is at least
    its threshold; else, among the classes that are not in `thresholds`, that with the largest expected gain.

    Args:
        class_names: Name of each class, in label order.
        gain: What answering a class (column) gains where another one (row) is true, (C, C) float64; by default 1 for
            the right answer.
        thresholds: Least probability of a class, by its name, in the order in which they are asked.
        confidence: Least probability of an answer.
        ratio: What each probability is multiplied by, (C,) float64; 1 by default.
    """

    class_names: tuple[str, ...]
    gain: np.ndarray = field(default_factory=lambda: np.ones((0, 0)))
    thresholds: dict[str, float] = field(default_factory=dict)
    confidence: float = 0.0
    ratio: np.ndarray = field(default_factory=lambda: np.ones(0))

    def __post_init__(self) -> None:
        if not len(self.gain):
            self.gain = np.eye(len(self.class_names))
        if not len(self.ratio):
            self.ratio = np.ones(len(self.class_names))

    def adjusted(self, probability: np.ndarray) -> np.ndarray:
        """Probabilities (N, C) as they are where classes are as frequent as `ratio` says."""
        return adjusted(probability, self.ratio)

    def answer(self, probability: np.ndarray) -> np.ndarray:
        """The class that each image is taken for, (N, C) to (N,) int64; -1 where there is no answer.

        Raises:
            ValueError: The probabilities are of other classes.
        """
        if probability.shape[1] != len(self.class_names):
            raise ValueError(f"Pass probabilities of {len(self.class_names)} classes, not of {probability.shape[1]}.")
        probability = self.adjusted(probability)
        gain = probability @ self.gain
        flagged = [self.class_names.index(name) for name in self.thresholds]
        gain[:, flagged] = -np.inf
        answers = gain.argmax(axis=1)
        for c, threshold in reversed(list(zip(flagged, self.thresholds.values(), strict=True))):
            answers[probability[:, c] >= threshold] = c
        answers[probability.max(axis=1) < self.confidence] = NO_ANSWER
        return answers

    @property
    def always_answers(self) -> bool:
        """Whether every image gets a class."""
        return self.confidence <= 0

    @property
    def offset(self) -> np.ndarray | None:
        """What is added to the logits before the largest is taken, (C,); None if the decision is no such sum."""
        diagonal = np.diag(self.gain)
        alone = not self.thresholds and self.always_answers and (self.gain == np.diag(diagonal)).all()
        if not alone or min(diagonal.min(), self.ratio.min()) <= 0:
            return None
        return np.log(diagonal) + np.log(self.ratio)


class Rule(ABC):
    """How a decision is made: settings, fitted to validation images, never to those of a test."""

    @property
    def settings(self) -> dict[str, Any]:
        """What it was built with."""
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}

    @abstractmethod
    def fit(self, validation: Labelled) -> Decision:
        """Makes the decision.

        Raises:
            UserError: The images do not suffice, or have other classes than the settings.
        """


def adjusted(probability: np.ndarray, ratio: np.ndarray) -> np.ndarray:
    """Probabilities (N, C), each times a ratio (C,), scaled to a sum of one (Saerens et al. 2002, Eq. 2.4)."""
    if (ratio == 1).all():
        return probability
    weighted = probability * ratio
    total = weighted.sum(axis=1, keepdims=True)
    return np.divide(weighted, total, out=np.full_like(weighted, 1 / len(ratio)), where=total > 0)


def check_known(names: Sequence[str], class_names: Sequence[str], where: str) -> None:
    """Refuses names that are no classes.

    Args:
        names: What was given.
        class_names: Those there are.
        where: What gave them, such as `--sensitivity` or a file, for the message.

    Raises:
        UserError: There is no such class.
    """
    if unknown := [name for name in names if name not in class_names]:
        there = f"{where} names the class {unknown[0]!r}, but the classes are {', '.join(class_names)}"
        hint = did_you_mean(unknown[0], class_names)
        raise UserError(f"{there}: {hint}" if hint else f"{there}.")
