"""The figure of a search: the score of each trial with the best so far, and the score over each setting."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes

from lightning_imbal.atomic_files import write_whole
from lightning_imbal.report.figures.grid import grid
from lightning_imbal.report.figures.look import COLOURS, STYLE, legend_below, plain, wrapped
from lightning_imbal.tuning.about import About
from lightning_imbal.tuning.search import Range
from lightning_imbal.tuning.trial import Trial

ACROSS, TICKS, LETTERS = 3, 4, 36
KINDS = {"complete": ("o", COLOURS[0]), "pruned": ("x", COLOURS[1])}
BEST = {"marker": "*", "s": 110, "color": COLOURS[2], "zorder": 3, "label": "best"}


def draw_search(about: About, trials: Sequence[Trial], best: Trial, file: Path) -> None:
    """Draws the trials of a search into a PNG file.

    Args:
        about: The search.
        trials: Those that have ended; what failed has no score.
        best: The best of them.
        file: Where to.
    """
    with rc_context(STYLE):
        number = len(about.space)
        figure, panels = grid(1 + number, min(ACROSS, 1 + number), 2.3)
        drawn = [trial for trial in trials if trial.value is not None]
        _draw(panels[0], drawn, [trial.number for trial in drawn], best)
        complete = [trial for trial in drawn if trial.state == "complete"]
        values = pd.Series([trial.value for trial in complete], dtype=float)
        so_far = values.cummin() if about.lower else values.cummax()
        steps = [trial.number for trial in complete]
        panels[0].step(steps, so_far, where="post", color=COLOURS[6], linewidth=1, label="best so far", zorder=1)
        panels[0].locator_params(axis="x", integer=True)
        panels[0].set(xlabel="Trial", ylabel=plain(about.score))
        for axes, each in zip(panels[1:], about.space, strict=True):
            _draw_setting(axes, drawn, each, best)
        for place, axes in enumerate(panels):
            if place % ACROSS == 0:
                axes.set_ylabel(plain(about.score))
        legend_below(figure)
        write_whole(file, lambda path: figure.savefig(path, format="png", dpi=200))


def _draw_setting(axes: Axes, trials: Sequence[Trial], of: Range, best: Trial) -> None:
    values = [trial.params[of.name] for trial in trials]
    if of.kind == "choice":
        _draw(axes, trials, [of.choices.index(str(value)) for value in values], best)
        letters = max(4, LETTERS // len(of.choices))
        axes.set_xticks(range(len(of.choices)), [wrapped(choice, letters) for choice in of.choices], fontsize=7)
        axes.set_xlim(-0.5, len(of.choices) - 0.5)
    else:
        _draw(axes, trials, [float(value) for value in values], best)
        if of.kind == "log":
            axes.set_xscale("log")
            axes.minorticks_off()
            ticks = [float(f"{tick:.2g}") for tick in np.geomspace(of.low, of.high, TICKS)]
            axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        elif of.kind == "int":
            axes.locator_params(axis="x", integer=True)
    axes.set_xlabel(plain(of.name))


def _draw(axes: Axes, trials: Sequence[Trial], x: Sequence[float], best: Trial) -> None:
    places, values = np.asarray(x, dtype=float), np.array([trial.value for trial in trials], dtype=float)
    for state, (marker, colour) in KINDS.items():
        chosen = [trial.state == state for trial in trials]
        if any(chosen):
            axes.scatter(places[chosen], values[chosen], s=18, marker=marker, color=colour, label=state, zorder=2)
    at = [trial.number for trial in trials].index(best.number)
    axes.scatter(places[at], values[at], **BEST)  # type: ignore[arg-type]  # each of its own kind
