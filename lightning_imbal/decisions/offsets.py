"""One offset per class, added to the logits, that makes a score of validation images largest."""

import numpy as np

from lightning_imbal.decisions.ascent import Ascent
from lightning_imbal.decisions.base import Decision, Labelled, Rule
from lightning_imbal.decisions.prior_adjusted import PriorAdjusted
from lightning_imbal.decisions.scoring import check_score


class Offsets(Rule):
    """Answers the class with the largest `log p_c + b_c`, whose b is best in a score of the validation images.

    Thresholds for F1 and their kin are shifted ones of the posterior (Koyejo et al. 2014; Narasimhan et al. 2015); they
    are found by coordinate ascent over all places where an answer changes, from b = 0 and from that of `PriorAdjusted`,
    so that the score is never below theirs. The offset of the class with most training images is 0.

    Args:
        score: Any score of answers, such as `f1`, `balanced_accuracy`, `recall/nevus` or `group_f1/minor`.

    Raises:
        UserError: There is no such score.
    """

    def __init__(self, score: str = "f1") -> None:
        check_score(score)
        self.score = score

    def fit(self, validation: Labelled) -> Decision:
        ascent, number = Ascent(validation, self.score), len(validation.class_names)
        starts = [np.zeros(number)]
        if all(validation.class_counts):
            starts.append(np.log(np.diag(PriorAdjusted(self.score).fit(validation).gain)))
        _, offset = max((ascent.climb(start) for start in starts), key=lambda end: end[0])
        offset = offset - offset[np.argmax(validation.class_counts)]
        return Decision(validation.class_names, gain=np.diag(np.exp(offset)))
