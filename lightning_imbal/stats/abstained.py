"""What is left unanswered, and how often what is answered is wrong."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lightning_imbal.decisions.base import NO_ANSWER, Decision
from lightning_imbal.runs.run import Run
from lightning_imbal.stats.decided import predictions_of


@dataclass(frozen=True, eq=False)
class Abstained:
    """A decision that leaves images without an answer, on the test images of runs; means over the runs.

    Args:
        answered: Share of the images of each class that are answered, (C,); NaN without images.
        recall: Share of those that are answered right, (C,).
        covered: Share of all images that are answered.
        wrong: Share of those that are answered wrong.
        wrong_of_all: Share of all images that would be wrong if each were answered.
    """

    answered: np.ndarray
    recall: np.ndarray
    covered: float
    wrong: float
    wrong_of_all: float


def abstained(runs: Sequence[Run], decisions: Sequence[Decision]) -> Abstained:
    """Applies the decision of each run to its test images.

    Args:
        runs: All with predictions.
        decisions: Theirs.
    """
    found = []
    for run, decision in zip(runs, decisions, strict=True):
        known = predictions_of(run)
        answers, number = decision.answer(known.probability), len(known.class_names)
        answered, right = answers != NO_ANSWER, answers == known.label
        of_class, of_answered, of_right = (
            np.bincount(known.label, which, number) for which in (np.ones(len(answers)), answered, right)
        )
        with np.errstate(invalid="ignore"):
            shares = of_answered / of_class, of_right / of_answered
        wrong = float((answered & ~right).sum() / max(1, answered.sum()))
        found.append((*shares, float(answered.mean()), wrong, float((known.answers != known.label).mean())))
    return Abstained(*(np.mean(values, axis=0) for values in zip(*found, strict=True)))
