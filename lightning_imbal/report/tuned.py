"""What a search has found: a table in the terminal and as a file, a picture, and the best settings as an overlay."""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lightning_imbal.atomic_files import write_whole
from lightning_imbal.runs.folder import stages_in
from lightning_imbal.runs.spreadsheet import to_csv
from lightning_imbal.tuning.about import About
from lightning_imbal.tuning.overlay import write_overlay
from lightning_imbal.tuning.search import shown
from lightning_imbal.tuning.trial import Trial, best_of, folder_of, ranked
from lightning_imbal.wording import number_of, score_text

SHOWN = 5


def write_results(about: About, trials: Sequence[Trial], run: Path) -> Trial | None:
    """Writes `trials.csv`, and if a trial is complete `best.yaml`, `split.csv` and `trials.png`; returns the best one.

    Args:
        about: The search.
        trials: All that have ended.
        run: Its folder.
    """
    write_whole(run / "trials.csv", partial(to_csv, trials_table(about, trials, run)))
    if (best := best_of(trials, about.lower)) is None:
        return None
    split = (stages_in(folder_of(run, best.number))[0] / "split.csv").read_bytes()
    write_whole(run / "split.csv", lambda file: file.write_bytes(split))
    write_overlay(about, trials, best, run)
    from lightning_imbal.report.figures.of_search import draw_search

    draw_search(about, trials, best, run / "trials.png")
    return best


def trials_table(about: About, trials: Sequence[Trial], run: Path) -> pd.DataFrame:
    """A row for each trial: number, state, score, the epoch of that (from 1) of so many, settings, folder, and why."""
    rows = [
        {
            "trial": trial.number,
            "state": trial.state,
            about.score: trial.value,
            "epoch": None if trial.epoch is None else trial.epoch + 1,
            "epochs": len(trial.values),
            **{each.name: trial.params.get(each.name) for each in about.space},
            "folder": str(folder_of(run, trial.number).relative_to(run)),
            "why": trial.why,
        }
        for trial in trials
    ]
    return pd.DataFrame(rows).astype({"epoch": "Int64"}) if rows else pd.DataFrame(columns=["trial", "state"])


def print_trials(about: About, trials: Sequence[Trial], run: Path, console: Console) -> None:
    """Prints the best five trials, and how many were given up or have failed."""
    best = ranked(trials, about.lower)[:SHOWN]
    table = Table(title=f"{run}: the best of {number_of(len(trials), 'trial')}", title_justify="left")
    for name in ("Trial", about.score, "Epoch", *(each.name for each in about.space)):
        table.add_column(escape(name), justify="right", overflow="fold")
    for trial in best:
        epoch = "" if trial.epoch is None else str(trial.epoch + 1)
        values = [shown(trial.params[each.name]) for each in about.space]
        table.add_row(str(trial.number), score_text(trial.value), epoch, *map(escape, values))
    if best:
        console.print(table)
    for sentence in said_of(trials):
        console.print(escape(sentence), highlight=False, soft_wrap=True)
    files = f"{run / 'trials.csv'}, {run / 'trials.png'}, {run / 'best.yaml'}" if best else f"{run / 'trials.csv'}"
    console.print(f"Results: {escape(files)}", highlight=False, soft_wrap=True)


def said_of(trials: Sequence[Trial]) -> list[str]:
    """Sentences on how many trials there are of each kind, and why the first has failed that did."""
    states = Counter(trial.state for trial in trials)
    said = [
        f"{number_of(states['complete'], 'trial')} complete, {states['pruned']} pruned (worse than half of the others "
        f"after as many epochs), {states['failed']} failed."
    ]
    failed = next((trial for trial in trials if trial.state == "failed"), None)
    if failed:
        said.append(f"The first that failed is trial {failed.number}: {failed.why}")
    return said
