"""What `fit` has to do with `tune`: it makes a trial, or begins with what was found."""

from collections.abc import Sequence
from pathlib import Path

from jsonargparse import Namespace
from lightning.pytorch.utilities import rank_zero_warn

from lightning_imbal.callbacks.hopeless import StopHopeless
from lightning_imbal.data.labelled_images import LabelledImages
from lightning_imbal.runs.identity import as_split
from lightning_imbal.runs.tuned import seen_in_search, told_of
from lightning_imbal.tuning.about import read_about
from lightning_imbal.tuning.suggest import is_hopeless
from lightning_imbal.tuning.trial import read_trial, read_trials


def stopping(folder: Path, left: Sequence[Namespace]) -> list[StopHopeless]:
    """What gives up the last stage of a run that is a trial; nothing of any other.

    Args:
        folder: Of the run.
        left: The configuration of the stage, and those after it.
    """
    trial, search = read_trial(folder), folder.parent.parent
    about, epochs = None if trial is None else read_about(search), left[0].trainer.max_epochs
    if trial is None or about is None or about.pruner == "none" or len(left) > 1 or not epochs:
        return []
    known = read_trials(search)[: trial.knows]
    # Asked after each epoch, so that what `outcome` finds out later is whether it ever was.
    return [StopHopeless(about.score, lambda values: is_hopeless(about.space, known, values, epochs, about.lower))]


def tell_tuned(stages: Sequence[Namespace], data: LabelledImages) -> None:
    """Says if the settings of a run were searched on other images, and notes it in its configurations.

    Args:
        stages: The configurations.
        data: Of the first one.
    """
    tuned = {name: value for name, value in stages[0].tuned.items() if name not in ("other", "seen")}
    tuned |= seen_in_search(tuned, as_split(data.table), data.title)
    if said := told_of(tuned):
        rank_zero_warn(said)
    for stage in stages:
        stage.tuned = tuned
