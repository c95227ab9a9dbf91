"""Which of several runs is the best in each score, where that can be told, and which have learned anything at all."""

from collections.abc import Sequence
from typing import NamedTuple

from lightning_imbal.runs.run import Run
from lightning_imbal.runs.title import shown_scores
from lightning_imbal.stats.bootstrap import SIGNIFICANT
from lightning_imbal.stats.compared import Compared
from lightning_imbal.stats.floors import floors_of
from lightning_imbal.stats.learned import JUDGED_BY, verdicts
from lightning_imbal.stats.rounds import Round
from lightning_imbal.stats.shared_images import overlap_of


class Told(NamedTuple):
    """What the predictions of several runs tell.

    Args:
        best: The place of the run that can be told from every other one, at 5 %, by the key of the score. A score is
            left out in which the best run cannot be told from another one, or has not learned anything.
        floors: The scores of what needs no training, by its name and their keys.
        remarks: On each run, empty if it has learned something.
    """

    best: dict[str, int]
    floors: dict[str, dict[str, float]]
    remarks: list[str]


def told_best(runs: Sequence[Run]) -> Told | None:
    """Compares runs with each other, and with what needs no training.

    Args:
        runs: With the same classes.

    Returns:
        None if it cannot be known: a run has no predictions of single images, or they are of other images.
    """
    known = [run.predictions for run in runs if run.predictions is not None]
    if len(known) < len(runs) or overlap_of({str(place): [run] for place, run in enumerate(runs)}):
        return None
    keys = [*shown_scores([run.identity for run in runs]), *(f"f1/{name}" for name in runs[0].class_names)]
    rounds = {str(place): [Round((run,))] for place, run in enumerate(known)}
    compared = Compared(rounds, [*keys, JUDGED_BY], floors=floors_of(rounds["0"]))
    judged = verdicts({str(place): [run] for place, run in enumerate(runs)}, compared)
    best = {}
    for key in keys:
        name, against = compared.beside_best(list(compared.rows), key)
        if against and max(against.values()) < SIGNIFICANT and judged[name].learned:
            best[key] = int(name)
    floors = {name: {key: row.value(key) for key in keys} for name, row in compared.floors.items()}
    return Told(best, floors, [verdict.remark for verdict in judged.values()])
