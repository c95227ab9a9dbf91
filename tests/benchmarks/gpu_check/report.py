"""Figures of the check, and how they are told: in the terminal, as gpu.md and as gpu.json."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lightning_imbal.atomic_files import write_json, write_whole

Verdict = Literal["ok", "failed", "skipped", ""]  # empty: a figure of which nothing is wanted
LINES_OF_LOG = 12


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    Args:
        what: What was measured.
        value: The figure; None where there is none.
        unit: Its unit.
        wanted: What it should be.
        verdict: Whether it is so.
        note: What else a reader needs, such as the end of a log.
    """

    what: str
    value: float | None = None
    unit: str = ""
    wanted: str = ""
    verdict: Verdict = ""
    note: str = ""


@dataclass
class Part:
    """What one part of the check found.

    Args:
        name: The part, as `--only` takes it.
        question: What it answers.
        seconds: How long it took.
        figures: What it measured, in the order in which it did.
    """

    name: str
    question: str
    seconds: float = 0.0
    figures: list[Figure] = field(default_factory=list)

    @property
    def failed(self) -> list[Figure]:
        """What is not as it should be."""
        return [figure for figure in self.figures if figure.verdict == "failed"]


def number(value: float | None) -> str:
    """A figure with as many digits as a reader needs."""
    if value is None:
        return ""
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def add_figure(file: Path, figure: Figure) -> None:
    """Appends a figure to a file at once: what a part has measured outlives it."""
    with file.open("a") as lines:
        lines.write(json.dumps(asdict(figure)) + "\n")


def read_figures(file: Path) -> list[Figure]:
    """The figures in a file; a last line that was cut off is left out."""
    lines = file.read_text().splitlines(keepends=True) if file.is_file() else []
    return [Figure(**json.loads(line)) for line in lines if line.endswith("\n")]


def last_lines(log: Path) -> str:
    """The end of a log, or that there is none."""
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()] if log.is_file() else []
    return "\n".join(lines[-LINES_OF_LOG:]) or "It printed nothing."


def write_files(folder: Path, machine: dict[str, Any], parts: Sequence[Part]) -> None:
    """Writes gpu.md and gpu.json."""
    write_json(folder / "gpu.json", {"machine": machine, "parts": [asdict(part) for part in parts]})
    text = "\n".join([_head(machine), *map(_section, parts)])
    write_whole(folder / "gpu.md", lambda path: path.write_text(text))


def print_part(console: Console, part: Part) -> None:
    """Prints the figures of a part."""
    table = Table(title=_title(part), title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    for column, justify in {"": "left", "figure": "right", "unit": "left", "wanted": "left", " ": "left"}.items():
        table.add_column(column, justify=justify)
    for figure in part.figures:
        colour = {"failed": "red", "skipped": "yellow"}.get(figure.verdict)
        told = ": ".join(filter(None, [figure.verdict, "" if "\n" in figure.note else figure.note]))
        table.add_row(*map(escape, (figure.what, number(figure.value), figure.unit, figure.wanted, told)), style=colour)
    console.print(table)
    for figure in part.figures:
        if "\n" in figure.note:
            console.print(f"{figure.what}:\n{figure.note}\n", markup=False, highlight=False)


def _title(part: Part) -> str:
    return f"{part.name}: {part.question} ({part.seconds:.0f} s)"


def _head(machine: dict[str, Any]) -> str:
    rows = "\n".join(f"| {name} | {_cell(str(value))} |" for name, value in machine.items())
    return f"# Check of lightning_imbal on {machine['device']}\n\n| | |\n|---|---|\n{rows}\n"


def _section(part: Part) -> str:
    rows = [
        (figure.what, number(figure.value), figure.unit, figure.wanted, figure.verdict, figure.note)
        for figure in part.figures
    ]
    lines = ["| | figure | unit | wanted | | |", "|---|---|---|---|---|---|"]
    lines += [f"| {' | '.join(map(_cell, row))} |" for row in rows]
    return "\n".join([f"## {_title(part)}", "", *lines, ""])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", "<br>")
