"""Tables in the terminal, made from the metrics.json of one or more runs."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from lightning_imbal.errors import UserError
from lightning_imbal.report.groups_once import print_groups_once
from lightning_imbal.runs.caveats import answer_text, caveats_of
from lightning_imbal.runs.run import Run, by_size
from lightning_imbal.runs.title import fitted_text, shown_scores, title_of
from lightning_imbal.score_names import OF_CLASS
from lightning_imbal.wording import score_text

if TYPE_CHECKING:
    from lightning_imbal.stats.told_best import Told

Floors = dict[str, dict[str, float]]  # scores of what needs no training, by its name
MAX_ROWS = 20
TOLD_BEST = (
    "Bold: this network can be told from every other one, at 5 %, whatever test images are chosen. Another training of "
    "the same methods may turn it round."
)
NO_BEST = "In no line can the best network be told from every other one, at 5 %, so that none is marked."
UNKNOWN_BEST = (
    "None is marked as the best: that can only be told of predictions of the same images (predictions.parquet)."
)
RUN_WIDTH = 12  # of a run side by side with others; its name is folded


def print_list(console: Console, heading: str, rows: Sequence[str], number: int | None = None) -> None:
    """Prints a heading and the first rows of a list of which a JSON file holds the rest.

    Args:
        console: Where to print.
        heading: Printed in bold.
        rows: One line each.
        number: How many rows there are in truth, if these are only the nearest.
    """
    number = len(rows) if number is None else number
    console.print(Text(heading, "bold"), soft_wrap=True)
    for row in rows[:MAX_ROWS]:
        console.print(Text(f"  {row}"), soft_wrap=True)
    if number > MAX_ROWS:
        has = "all" if number == len(rows) else f"the nearest {len(rows)}"
        console.print(f"  ... and {number - MAX_ROWS} more: --json FILE has {has}", highlight=False)


def run_table(results: dict[str, Any]) -> Group:
    """Precision, recall and F1 of every class, most common first; below them the groups and the summary."""
    identity, part = results["identity"], results["identity"]["part"]
    title = title_of(identity)
    said = [f"{title}: {remark}."] if (remark := answer_text(results)) else []
    said += [fitted] if (fitted := fitted_text(identity)) else []
    table = _titled(f"{title}: {part} part", "\n".join([*caveats_of(results), *said]))
    table.add_column("class", no_wrap=True)
    counted = "groups" if identity.get("pool") else "images"
    for column in ("train images", f"{part} {counted}", "precision", "recall", "F1"):
        table.add_column(column, justify="right", style="bold" if column == "F1" else "")
    for row in by_size(results["classes"]):
        scores = [score_text(row.get(score)) for score in OF_CLASS]
        table.add_row(Text(row["name"]), str(row["train_images"]), str(row["images"]), *scores)
    table.add_section()
    for group, row in results["groups"].items():
        scores = [score_text(row.get(score)) for score in ("recall", "f1")]
        table.add_row(Text(f"{group} ({len(row['classes'])})"), "", "", "", *scores)
    summary = Table.grid(padding=(0, 2))
    for key, name in shown_scores([identity]).items():
        summary.add_row(f" {name}", score_text(results["summary"].get(key)))
    return Group(table, summary)


def never_found(results: dict[str, Any]) -> Iterator[str]:
    """Names the classes of which no image was recognised, and those that were never answered, if there are any.

    Args:
        results: The `metrics.json` of a run.
    """
    places = {row["name"]: place for place, row in enumerate(results["classes"])}
    lost = {row["name"]: row["images"] for row in results["classes"] if row["images"] and row["recall"] == 0}
    if not lost:
        return
    unanswered = [name for name in lost if not any(row[places[name]] for row in results["confusion"])]
    silent = f" Never even answered: {', '.join(unanswered)}." if unanswered else ""
    yield f"Never found: {', '.join(f'{name} (0 of {images})' for name, images in lost.items())}.{silent}"


def check_classes(runs: Sequence[dict[str, Any]]) -> None:
    """Refuses runs of different classes.

    Args:
        runs: Their `metrics.json`.

    Raises:
        UserError: They cannot be compared.
    """
    classes = [[row["name"] for row in run["classes"]] for run in runs]
    if any(names != classes[0] for names in classes):
        raise UserError("The runs have different classes and cannot be compared: give runs on the same data set.")


@dataclass(frozen=True)
class Line:
    """A line of the comparison.

    Args:
        name: A class, or a score.
        images: Training images of the class.
        values: One per run; None where it was not measured.
        best: Place of the run that can be told from the others as the best; None if none can.
    """

    name: str
    images: str
    values: list[float | None]
    best: int | None = None

    def cells(self) -> list[str]:
        """The numbers, the best in bold."""
        texts = [score_text(value) for value in self.values]
        return [f"[bold]{text}[/]" if place == self.best else text for place, text in enumerate(texts)]


@dataclass(frozen=True)
class Beside:
    """What is said of runs side by side.

    Args:
        names: What each is called.
        shared: What the titles of all have in common.
        told: Which of them is the best in each score, and bold, as `told_best` has it; None if it is not known.
        differ: Sentences on images that not all were tested on.
    """

    names: Sequence[str]
    shared: str = ""
    told: "Told | None" = None
    differ: Sequence[str] = ()


def comparison_tables(runs: Sequence[dict[str, Any]], width: int, beside: Beside) -> Iterator[Table]:
    """F1 of every class for several runs side by side, most common class first, and their summaries below.

    Behind the runs comes what needs no training, where it is known.

    Args:
        runs: Their `metrics.json`.
        width: Characters that a table may have; what does not fit side by side comes in further tables.
        beside: What is said of them.

    Raises:
        UserError: The runs have different classes.
    """
    check_classes(runs)
    told = beside.told
    best, floors = (told.best, told.floors) if told else ({}, {})
    lines, summary = _lines(runs, best, floors)
    names = [*beside.names, *floors]
    unknown = [] if beside.differ else [UNKNOWN_BEST]
    below = [
        *beside.differ,
        *(unknown if told is None else [TOLD_BEST if best else NO_BEST]),
        *_without_training(floors),
    ]
    remarks = [*(told.remarks if told else map(answer_text, runs)), *[""] * len(floors)]
    taken = max(len(line.name) for line in lines + summary) + len("train images") + 7
    number = max(1, (width - taken) // (RUN_WIDTH + 3))
    for first in range(0, len(names), number):
        part = slice(first, first + number)
        caption = [*dict.fromkeys(sentence for run in runs[part] for sentence in caveats_of(run))]
        caption += [f"{name}: {remark}." for name, remark in zip(names[part], remarks[part], strict=True) if remark]
        caption += below if first + number >= len(names) else []
        table = _titled(": ".join(filter(None, ["F1 per class", beside.shared])), "\n".join(caption))
        table.add_column("class", no_wrap=True)
        table.add_column("train images", justify="right", no_wrap=True)
        for name in names[part]:
            table.add_column(Text(_folded(name)), justify="right", overflow="fold", min_width=RUN_WIDTH)
        for rows in (lines, summary):
            for line in rows:
                table.add_row(Text(line.name), line.images, *line.cells()[part])
            table.add_section()
        yield table


def _lines(runs: Sequence[dict[str, Any]], best: dict[str, int], floors: Floors) -> tuple[list[Line], list[Line]]:
    """The F1 of every class in every run and in what needs no training, and the scores of the whole of them."""

    def line(name: str, images: str, key: str, values: list[float | None]) -> Line:
        return Line(name, images, [*values, *(scores[key] for scores in floors.values())], best.get(key))

    by_name = [{row["name"]: row for row in run["classes"]} for run in runs]
    of_classes = [
        line(name, str(row["train_images"]), f"f1/{name}", [of_run[name].get("f1") for of_run in by_name])
        for row in by_size(runs[0]["classes"])
        for name in [row["name"]]
    ]
    titles = shown_scores([run["identity"] for run in runs])
    return of_classes, [line(titles[key], "", key, [run["summary"].get(key) for run in runs]) for key in titles]


def _folded(name: str) -> str:
    """A name whose longest words go on in the next line behind a hyphen, where they have one."""
    return " ".join("\n".join(wrap(word, RUN_WIDTH, break_long_words=False)) for word in name.split())


def _without_training(floors: Collection[str]) -> list[str]:
    return [f"Without any training: {' and '.join(floors)}."] if floors else []


def _titled(title: str, caption: str) -> Table:
    """A table with a title above and, if there is one, a caption below, which may hold any signs."""
    below = Text(caption, "table.caption") if caption else None
    return Table(title=Text(title, "table.title"), title_justify="left", caption=below)


def print_runs(folders: Sequence[str]) -> None:
    """Prints the table of one run, or several runs side by side (the best of each line in bold, where it is known)."""
    runs, console = [Run(folder) for folder in folders], Console()
    results = [run.results for run in runs]
    if len(runs) == 1:
        console.print(run_table(results[0]))
        print_groups_once(runs, [runs[0].title], console)
        return
    check_classes(results)
    # What it waits for is not needed for a single run.
    from lightning_imbal.stats.run_names import run_names
    from lightning_imbal.stats.shared_images import overlap_of, runs_on_shared
    from lightning_imbal.stats.told_best import told_best

    names, shared = run_names(runs)
    known = all(run.predictions is not None for run in runs)
    overlap = overlap_of({name: [run] for name, run in zip(names, runs, strict=True)}) if known else None
    runs = runs_on_shared(runs, overlap)
    beside = Beside(names, shared, told_best(runs), overlap.sentences() if overlap else [])
    for table in comparison_tables([run.results for run in runs], console.width, beside):
        console.print(table)
    print_groups_once(runs, names, console)
