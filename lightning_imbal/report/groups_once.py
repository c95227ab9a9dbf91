"""Scores in which each group of images (lesion, patient) counts once: of single runs in the terminal, and in a card."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from lightning_imbal.runs.run import Run
from lightning_imbal.score_names import GROUPS_ONCE, SCORES
from lightning_imbal.wording import interval_text, number_of, score_text

if TYPE_CHECKING:
    import pandas as pd

OF_CLASSES = "The same of each class is on the page (--html)."
WIDTH = 12  # of a run side by side with others


def rows_once(scores: "pd.DataFrame") -> list[list[str]]:
    """Those of all classes of one row of `Results.groups_once`: title, value and 95 % interval."""
    found = scores[scores["class"] == ""]
    return [
        [
            f"{SCORES[row['score']].in_words}, each group of images (lesion, patient) once",
            score_text(row["value"]),
            interval_text(row["low"], row["high"], 3, "{} to {}"),
        ]
        for row in found.to_dict("records")
    ]


def print_groups_once(runs: Sequence[Run], names: Sequence[str], console: Console) -> None:
    """Prints them for a single run or several side by side, where a run names groups; else nothing is waited for.

    Args:
        runs: With the same classes; of those without predictions, or without groups of several images, nothing is said.
        names: What each is called.
        console: Where to print.
    """
    if any(run.names_groups for run in runs):
        for table in _tables(runs, names, console.width):
            console.print(table)


def _tables(runs: Sequence[Run], names: Sequence[str], width: int) -> Iterator[Table | Text]:
    """The title, a table for as many runs as fit side by side, and what the scores are."""
    from lightning_imbal.stats.group_scores import ONCE, group_scores
    from lightning_imbal.stats.rounds import Round

    known = {str(place): run.predictions for place, run in enumerate(runs)}
    found = group_scores({place: [Round((kept,))] for place, kept in known.items() if kept is not None})
    if found.empty:
        return
    scores = {(row["row"], row["score"]): row for row in found[found["class"] == ""].to_dict("records")}
    places, single = list(dict.fromkeys(found["row"])), len(runs) == 1
    taken = max(len(SCORES[key].in_words) for key in GROUPS_ONCE) + 4
    number = max(1, (width - taken) // (WIDTH + 3))
    groups = number_of(max(row["groups"] for row in scores.values()), "group")
    yield Text(f"{groups} (lesion, patient), each counts once", "table.title")
    for first in range(0, len(places), number):
        part, table = places[first : first + number], Table()
        table.add_column("score", no_wrap=True)
        for place in part:
            heading = "value, 95 % interval" if single else names[int(place)]
            table.add_column(Text(heading), justify="right", overflow="fold", min_width=WIDTH)
        for key in GROUPS_ONCE:
            cells = [_cell(scores[place, key], " " if single else "\n") for place in part]
            table.add_row(Text(SCORES[key].in_words), *cells)
        yield table
    yield Text(f"{ONCE} {OF_CLASSES}", "table.caption")


def _cell(row: dict[str, float], between: str) -> Text:
    interval = interval_text(row["low"], row["high"], digits=2)
    return Text(score_text(row["value"])).append(between * bool(interval) + interval, "dim")
