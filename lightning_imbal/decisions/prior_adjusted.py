"""Probabilities divided by a power of the class frequencies."""

import numpy as np

from lightning_imbal.decisions.base import Decision, Labelled, Rule
from lightning_imbal.decisions.plateaus import best_plateau
from lightning_imbal.decisions.scoring import check_score, score_answers
from lightning_imbal.errors import UserError, refuse_below

TAUS = np.arange(41) / 20


class PriorAdjusted(Rule):
    """Answers the class with the largest `p_c / (n_c / N)^tau`, of class sizes n_c of the training part.

    Menon et al. 2021, "Long-Tail Learning via Logit Adjustment", Eq. 9, for networks trained with plain cross-entropy.
    As a single number is fitted, it suits small validation parts.

    Args:
        score: What the best tau from 0, 0.05, ... to 2 is best in. Of neighbours that are equally good the middle is
            taken, of several such places the smallest (on other images, no choice among them was better).
        tau: Given, it is not fitted: 0 leaves the answers as they are, 1 is that of Eq. 9.

    Raises:
        UserError: There is no such score, or tau is negative.
    """

    def __init__(self, score: str = "f1", tau: float | None = None) -> None:
        check_score(score)
        refuse_below(0, tau=tau)
        self.score, self.tau = score, tau

    def fit(self, validation: Labelled) -> Decision:
        share = np.array(validation.class_counts, dtype=np.float64) / sum(validation.class_counts)
        if not share.all():
            name = validation.class_names[int(share.argmin())]
            raise UserError(f"The class {name} has no training image, so that no frequency can be divided by.")
        tau = self._best_tau(validation, share) if self.tau is None else self.tau
        return Decision(validation.class_names, gain=np.diag(share**-tau))

    def _best_tau(self, validation: Labelled, share: np.ndarray) -> float:
        answers = np.stack([(validation.probability * share**-tau).argmax(axis=1) for tau in TAUS])
        return best_plateau(score_answers(validation, answers, self.score), TAUS, TAUS)
