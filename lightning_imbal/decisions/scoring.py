"""Which score a rule is fitted to: any that depends on the answers alone."""

import numpy as np

from lightning_imbal.decisions.base import Labelled
from lightning_imbal.decisions.confusions import PER_GROUP, SUMMARY, Classes, Confusions, answer_score
from lightning_imbal.errors import UserError
from lightning_imbal.score_names import OF_CLASS, SCORES, lower_is_better
from lightning_imbal.wording import did_you_mean


def check_score(name: str) -> None:
    """Refuses a score to which no rule can be fitted, before there are images.

    Args:
        name: Such as `f1`, `recall/nevus` or `group_f1/minor`; whether there is such a class or group is seen later.

    Raises:
        UserError: There is no such score, or it is one of probabilities, as AUC is, or an error.
    """
    key, _, part = name.partition("/")
    if name in SUMMARY and lower_is_better(name):
        raise UserError(
            f"Rules make a score large, but {name} is the better the smaller it is: name adjacent_accuracy or kappa, "
            "or give the costs of being so many grades off to ExpectedCost."
        )
    if name in SUMMARY or (part and (key in OF_CLASS or key in PER_GROUP)):
        return
    if name in SCORES or (part and key in SCORES):
        raise UserError(
            f"The score {name} does not depend on the answers, so that no rule can be fitted to it: name another one, "
            f"such as {', '.join(list(SUMMARY)[:3])}."
        )
    known = [
        *(each for each in SUMMARY if not lower_is_better(each)),
        *(f"{each}/CLASS" for each in OF_CLASS),
        *(f"{each}/GROUP" for each in PER_GROUP),
    ]
    hint = did_you_mean(name, SUMMARY) or f"there are {', '.join(known)}."
    raise UserError(f"There is no score {name!r}: {hint}")


def scores_of(sets: Confusions, name: str) -> np.ndarray:
    """A score of each set, (R,).

    Args:
        sets: Of the same images, answered by R rules.
        name: A score that `check_score` lets pass.

    Raises:
        UserError: It is of a class or group that there is not, or that has no image.
    """
    score = answer_score(sets, name)
    if score is None:
        key, _, part = name.partition("/")
        kind, known = ("class", sets.test.class_names) if key in OF_CLASS else ("group", tuple(sets.test.groups))
        hint = did_you_mean(part, known) or f"there are {', '.join(known) or 'none'}."
        raise UserError(f"The score {name} is of no {kind}: {hint}")
    if np.isnan(score).any() or not sets.test.present[_members(sets.test, name)].any():
        raise UserError(f"The score {name} is not defined: there is no validation image of what it is about.")
    return score


def score_answers(validation: Labelled, answers: np.ndarray, name: str) -> np.ndarray:
    """A score of what R rules answer, (R, N) labels to (R,).

    Raises:
        UserError: As of `scores_of`.
    """
    return scores_of(validation.confusions(answers), name)


def _members(classes: Classes, name: str) -> list[int]:
    """Labels of the classes that a score is about."""
    key, _, part = name.partition("/")
    if name == "scr":
        return [classes.rarest]
    names = (part,) if key in OF_CLASS and part else classes.groups.get(part, classes.class_names)
    return [classes.class_names.index(each) for each in names]
