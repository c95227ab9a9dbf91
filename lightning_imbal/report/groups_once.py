"""Scores in which each group of images (lesion, patient) counts once: of single runs in the terminal, and in a card."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from lightning_imbal.runs.run import Run, by_size
from lightning_imbal.score_names import GROUPS_ONCE, GROUPS_ONCE_OF_CLASS, OF_CLASS, SCORES
from lightning_imbal.wording import interval_text, number_of, score_text

if TYPE_CHECKING:
    import pandas as pd

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


def _tables(runs: Sequence[Run], names: Sequence[str], width: int) -> Iterator[Table]:
    from lightning_imbal.stats.group_scores import ONCE, group_scores
    from lightning_imbal.stats.rounds import Round

    known = {str(place): run.predictions for place, run in enumerate(runs)}
    found = group_scores({place: [Round((kept,))] for place, kept in known.items() if kept is not None})
    if found.empty:
        return
    scores = {(row["row"], row["score"], row["class"]): row for row in found.to_dict("records")}
    places, single = list(dict.fromkeys(found["row"])), len(runs) == 1
    classes = [row["name"] for row in by_size(runs[0].results["classes"])]
    lines = [[(key, "", SCORES[key].in_words) for key in GROUPS_ONCE]]
    lines += [[(key, name, f"{OF_CLASS[key]} of {name}") for name in classes] for key in GROUPS_ONCE_OF_CLASS]
    taken = max(len(title) for of_kind in lines for *_, title in of_kind) + len("test groups") + 7
    number = max(1, (width - taken) // (WIDTH + 3))
    groups = number_of(max(row["groups"] for row in scores.values()), "group")
    for first in range(0, len(places), number):
        part = places[first : first + number]
        caption = Text(ONCE if first + number >= len(places) else "", "table.caption")
        title = Text(f"{groups} (lesion, patient), each counts once", "table.title")
        table = Table(title=title, title_justify="left", caption=caption)
        table.add_column("score", no_wrap=True)
        table.add_column("test groups", justify="right", no_wrap=True)
        for place in part:
            heading = "value, 95 % interval" if single else names[int(place)]
            table.add_column(Text(heading), justify="right", overflow="fold", min_width=WIDTH)
        for of_kind in lines:
            for key, name, line in of_kind:
                of_runs = [scores[place, key, name] for place in part]
                cells = [_cell(of_run, " " if single else "\n") for of_run in of_runs]
                table.add_row(Text(line), f"{max(of_run['groups'] for of_run in of_runs):,}", *cells)
            table.add_section()
        yield table


def _cell(row: dict[str, float], between: str) -> Text:
    interval = interval_text(row["low"], row["high"], digits=2)
    return Text(score_text(row["value"])).append(between * bool(interval) + interval, "dim")
