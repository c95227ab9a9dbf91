"""What came of a trial: read from the files of its run, whoever has ended it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

from lightning_imbal.runs.run import Run
from lightning_imbal.tuning.about import About
from lightning_imbal.tuning.suggest import is_hopeless
from lightning_imbal.tuning.trial import Trial

if TYPE_CHECKING:
    import pandas as pd

DIVERGED = "its score is no number"


def outcome(trial: Trial, folder: Path, about: About, known: Sequence[Trial]) -> Trial:
    """A trial whose run is finished, with its score; it is given up where it was hopeless, if it went on or not.

    Args:
        trial: As it began.
        folder: Of its run.
        about: The search.
        known: The trials that it is compared with.

    Raises:
        UserError: A file of its run is damaged, or the score is not in it.
    """
    run = Run(folder)
    stage = run.stages[-1]
    config, curves = stage.config(), stage.curves()
    values = {} if curves is None else by_epoch(curves, about.score)
    epochs = config["trainer"]["max_epochs"] or len(values)
    if (end := given_up(values, epochs, about, known)) is not None:
        values = {epoch: value for epoch, value in values.items() if epoch <= end}
        return replace(trial, state="pruned", value=values[end], epoch=end, values=values)
    monitor = config.get("monitor")
    scores = values if monitor is None or curves is None else by_epoch(curves, monitor)
    epoch = kept_epoch(scores, None if monitor is None else config["monitor_mode"])
    value = values[epoch] if about.key == "loss" and epoch is not None else run.score(about.key)
    if not isfinite(value):
        return replace(trial, state="failed", values=values, why=DIVERGED)
    return replace(trial, state="complete", value=value, epoch=epoch, values=values)


def given_up(values: Mapping[int, float], epochs: int, about: About, known: Sequence[Trial]) -> int | None:
    """The epoch after which a trial was hopeless; None if it never was.

    Args:
        values: The score after each epoch.
        epochs: How many there are in all.
        about: The search.
        known: The trials that it is compared with.
    """
    if about.pruner == "none":
        return None
    so_far: dict[int, float] = {}
    for epoch, value in values.items():
        so_far[epoch] = value
        if is_hopeless(about.space, known, so_far, epochs, about.lower):
            return epoch
    return None


def by_epoch(curves: "pd.DataFrame", score: str) -> dict[int, float]:
    """A score after each epoch in which it was computed; of an epoch that was begun twice, the last one."""
    if score not in curves:
        return {}
    rows = curves.dropna(subset=["epoch", score]).drop_duplicates("epoch", keep="last").sort_values("epoch")
    return dict(zip(rows["epoch"].astype(int).tolist(), rows[score].tolist(), strict=True))


def kept_epoch(scores: Mapping[int, float], mode: str | None) -> int | None:
    """The epoch that a run keeps: the first with the best score, or the last one; None without any.

    Args:
        scores: After each epoch, in their order.
        mode: `max` or `min`; None: the last one is kept.
    """
    if not scores or mode is None:
        return max(scores, default=None)
    return (max if mode == "max" else min)(scores, key=scores.__getitem__)
