"""Which of several runs is the best in each score, where that can be told."""

from collections.abc import Sequence

from lightning_imbal.runs.run import Run
from lightning_imbal.score_names import SHOWN
from lightning_imbal.stats.bootstrap import SIGNIFICANT
from lightning_imbal.stats.compared import Compared
from lightning_imbal.stats.rounds import Round


def told_best(runs: Sequence[Run]) -> dict[str, int] | None:
    """The place of the run that can be told from every other one, at 5 %, by the key of the score.

    A score in which the best run cannot be told from another one is left out.

    Args:
        runs: With the same classes.

    Returns:
        None if it cannot be known: a run has no predictions of single images, or they are of other images.
    """
    known = [run.predictions for run in runs if run.predictions is not None]
    if len(known) < len(runs) or any(set(run.image) != set(known[0].image) for run in known):
        return None
    keys = [*SHOWN, *(f"f1/{name}" for name in runs[0].class_names)]
    compared = Compared({str(place): [Round((run,))] for place, run in enumerate(known)}, keys)
    found = {}
    for key in keys:
        best, against = compared.beside_best(list(compared.rows), key)
        if against and max(against.values()) < SIGNIFICANT:
            found[key] = int(best)
    return found
