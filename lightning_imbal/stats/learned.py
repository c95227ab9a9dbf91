"""Whether a row of a table has learned anything: more than one answer, and a macro F1 above the floor."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from lightning_imbal.runs.caveats import answer_text
from lightning_imbal.runs.run import Run
from lightning_imbal.stats.bootstrap import SIGNIFICANT, holm
from lightning_imbal.stats.compared import Compared
from lightning_imbal.wording import number_of

JUDGED_BY = "f1"  # the score in which one class alone is worth little, whatever its share of the images
NOT_ABOVE = "not above the floor"
NOTHING_LEARNED = "nothing was learned: these runs say nothing about the methods"


class Verdict(NamedTuple):
    """What is known of a row.

    Args:
        p_floor: P-value of its being above the better floor in macro F1, corrected for the number of rows (Holm); NaN
            without predictions.
        learned: Whether nothing speaks against its having learned something.
        remark: What a reader must know; empty if it is above the floor and has several answers in each run.
    """

    p_floor: float
    learned: bool
    remark: str


def verdicts(done: Mapping[str, Sequence[Run]], compared: Compared) -> dict[str, Verdict]:
    """Judges every row that has finished runs.

    Args:
        done: The finished runs of each row.
        compared: The scores of those rows all of whose runs have predictions, and of the floors.
    """
    names = [name for name, runs in done.items() if runs]
    raw = [
        compared.above_floor(name, JUDGED_BY) if compared.floors and name in compared.rows else np.nan for name in names
    ]
    return {name: _verdict(done[name], p_floor) for name, p_floor in zip(names, holm(raw), strict=True)}


def _verdict(runs: Sequence[Run], p_floor: float) -> Verdict:
    answers = [answer for run in runs if (answer := answer_text(run.results))]
    if len(answers) == len(runs):
        return Verdict(p_floor, False, answers[0] if len(set(answers)) == 1 else "each run answers one class only")
    below = p_floor >= SIGNIFICANT
    some = f"{len(answers)} of {number_of(len(runs), 'run')} with one answer only" if answers else ""
    return Verdict(p_floor, not below, "; ".join(filter(None, [NOT_ABOVE if below else "", some])))
