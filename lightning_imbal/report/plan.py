"""The plan of a run in the terminal: every setting, its value, where it is from, and what was lost to it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text


@dataclass(frozen=True)
class Lost:
    """A value that was given and is not used.

    Args:
        value: As it is written.
        source: The file, or the command line.
        why: Empty where another value was given for the same setting.
    """

    value: str
    source: str
    why: str = ""


@dataclass(frozen=True)
class Line:
    """A setting.

    Args:
        name: As it is typed, such as `model.loss.gamma`.
        value: That of the run; None if nothing takes it.
        source: Where the value is from.
        lost: What was given for it before.
    """

    name: str
    value: str | None
    source: str
    lost: tuple[Lost, ...] = ()


@dataclass(frozen=True)
class StagePlan:
    """A stage.

    Args:
        title: Such as `Stage 1: Classifier`.
        lines: What the files and the command line set.
        others: What is to be said of all other settings.
    """

    title: str
    lines: tuple[Line, ...]
    others: str


def print_plan(title: str, stages: Sequence[StagePlan], unused: Sequence[str], console: Console) -> None:
    """Prints one table for all stages of a run.

    Args:
        title: What is run.
        stages: In their order.
        unused: Sentences on what was given for nothing.
        console: Where to.
    """
    table = Table(box=None, padding=(0, 2, 0, 0), title=Text(title, "bold"), title_justify="left")
    table.add_column("setting", no_wrap=True)
    table.add_column("value", overflow="fold")
    table.add_column("from", overflow="fold")
    names = _by_name(stages)
    for stage in stages:
        table.add_row()
        table.add_row(Text(stage.title, "bold"))
        for line in stage.lines:
            if line.value is not None:
                table.add_row(Text(line.name), Text(line.value), Text(names[line.source]))
            for lost in line.lost:
                _add_lost(table, line, lost, names[lost.source])
    console.print(table, highlight=False)
    console.print()
    for number, stage in enumerate(stages, start=1):
        console.print(Text(f"Stage {number}: {stage.others}."), highlight=False)
    for sentence in unused:
        console.print(Text(sentence), highlight=False)
    if losses := sum(len(line.lost) for stage in stages for line in stage.lines):
        are = "value that was given is" if losses == 1 else "values that were given are"
        console.print(f"{losses} {are} not used: below the one that won, or with the reason.", highlight=False)
    console.print()


def _add_lost(table: Table, line: Line, lost: Lost, source: str) -> None:
    """A value that is not used, below the one that is, or by itself with the reason."""
    alone = line.value is None
    table.add_row(
        Text(line.name if alone else "  instead of", "dim"),
        Text(lost.value, "dim"),
        Text(source, "dim"),
    )
    if lost.why:
        table.add_row(Text("  lost", "dim"), Text(lost.why, "dim"))


def _by_name(stages: Sequence[StagePlan]) -> dict[str, str]:
    """How the sources are called: files by their names alone, unless several have the same."""
    lines = [line for stage in stages for line in stage.lines]
    sources = {line.source for line in lines} | {lost.source for line in lines for lost in line.lost}
    files = dict.fromkeys(file for source in sorted(sources) for file in source.split(", "))
    of_name = Counter(Path(file).name for file in files)
    names = {file: Path(file).name if of_name[Path(file).name] == 1 else file for file in files}
    return {source: ", ".join(names[file] for file in source.split(", ")) for source in sources}
