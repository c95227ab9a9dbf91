"""What comes of acting on the probabilities of a row: the risk of confident answers, the net benefit of a threshold."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lightning_imbal.decisions.abstain import risk_coverage
from lightning_imbal.runs.predictions import Predictions
from lightning_imbal.stats.rounds import Round

COVERAGES = np.arange(1, 101) / 100
THRESHOLDS = np.arange(100) / 100
ROUNDING = 1e-9


@dataclass(frozen=True)
class Risk:
    """How often answers are wrong if only the most confident are given.

    Args:
        at: Share of wrong answers at each of `COVERAGES`, (G,).
        area: Mean risk over all coverages, AURC.
    """

    at: np.ndarray
    area: float


def mean_risk(rounds: Sequence[Round]) -> Risk:
    """The risk of a row, averaged over its rounds, and before over the folds of each, whose confidences may differ.

    A coverage is that of the fewest images that reach it.
    """
    found = [_mean([_risk(fold) for fold in each.folds]) for each in rounds]
    return _mean(found)


def mean_benefit(
    curve: Callable[[Predictions, int, np.ndarray], np.ndarray], rounds: Sequence[Round], c: int
) -> np.ndarray:
    """The net benefit at each of `THRESHOLDS`, averaged over the rounds of a row, (T,).

    Args:
        curve: `net_benefit` or `treat_all`.
        rounds: Of one row; the images of all folds are taken together.
        c: The class.
    """
    return np.asarray(np.mean([curve(each.joined, c, THRESHOLDS) for each in rounds], axis=0))


def _risk(predictions: Predictions) -> Risk:
    coverage, risk = risk_coverage(predictions.probability, predictions.label)
    place = np.ceil(COVERAGES * len(coverage) - ROUNDING).astype(int) - 1
    return Risk(risk[place], float(risk.mean()))


def _mean(found: Sequence[Risk]) -> Risk:
    return Risk(np.mean([each.at for each in found], axis=0), float(np.mean([each.area for each in found])))
