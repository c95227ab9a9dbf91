"""No answer where no class is probable enough."""

import numpy as np

from lightning_imbal.decisions.base import Decision, Labelled, Rule
from lightning_imbal.errors import UserError


class Abstain(Rule):
    """Answers the class with the largest probability, if that is large enough; else there is no answer.

    Selective classification with the softmax response (Geifman and El-Yaniv 2017).

    Args:
        confidence: Least probability of an answer.
        coverage: Or the share of the validation images that are to be answered at least: the confidence is the largest
            that answers so many.

    Raises:
        UserError: Both or none of them is given, or one is not above 0 and below 1.
    """

    def __init__(self, confidence: float | None = None, coverage: float | None = None) -> None:
        if (confidence is None) == (coverage is None):
            raise UserError("Abstain needs either a confidence or a coverage, such as coverage 0.9.")
        for name, value in {"confidence": confidence, "coverage": coverage}.items():
            if value is not None and not 0 < value < 1:
                raise UserError(f"{name} must be above 0 and below 1, but is {value:g}.")
        self.confidence, self.coverage = confidence, coverage

    def fit(self, validation: Labelled) -> Decision:
        confidence = self.confidence
        if confidence is None:
            highest = validation.probability.max(axis=1)
            order = np.argsort(-highest)
            answered = validation.weight[order].cumsum()
            # A sum of rounded weights that is short of the coverage by nothing but rounding suffices.
            last = np.searchsorted(answered, self.coverage * answered[-1] * (1 - 1e-12))
            confidence = float(highest[order[last]])
        return Decision(validation.class_names, confidence=confidence)


def risk_coverage(probability: np.ndarray, label: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Share of wrong answers among the k most confident images, for each k (Geifman and El-Yaniv 2017).

    Of images that are equally confident, some are answered by chance: the share is that which is to be expected.

    Args:
        probability: Of images and classes, (N, C).
        label: True classes, (N,).

    Returns:
        The coverage k / N, (N,), and the risk at it, (N,).
    """
    highest, wrong = probability.max(axis=1), probability.argmax(axis=1) != label
    _, place, images = np.unique(-highest, return_inverse=True, return_counts=True)
    expected = (np.bincount(place, wrong) / images)[np.sort(place)]
    number = np.arange(1, len(label) + 1)
    return number / len(label), expected.cumsum() / number


def area_under_risk(probability: np.ndarray, label: np.ndarray) -> float:
    """Mean risk over all coverages, AURC (Geifman, Uziel and El-Yaniv 2019): 0 is best; lower is better."""
    return float(risk_coverage(probability, label)[1].mean())
