"""The tables of a paper in the terminal and as Markdown; LaTeX is in latex.py, what they show in layout.py."""

import re

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from lightning_imbal.tables.layout import NOT_MEASURED, QUOTED, Entry, Section, Sheet, full_title, sheets
from lightning_imbal.tables.results import Results

WORDS = (QUOTED, NOT_MEASURED, "")
RANK_STYLES = ("", "bold", "underline")
# Of a name of a method, before it goes on in the next line to make room; of a word of a heading, before it is cut.
LONGEST_WORD = 20


def render_terminal(results: Results, console: Console) -> None:
    """Prints published and measured numbers of every column, below them the F1 of its classes, then the notes.

    The sections of a table that is wider than the console are spread over several.
    """
    console.print(Text(full_title(results), style="bold"))
    for sheet in sheets(results):
        console.print()
        console.print(Text(sheet.title, style="italic"))
        rest = sheet.sections
        while rest:
            number = _fitting(sheet, rest, console)
            console.print(_terminal_table(sheet, rest[:number]))
            rest = rest[number:]
    if results.notes:
        console.print()
    for note in results.notes:
        console.print(Text(note))


def to_markdown(results: Results) -> str:
    """The same as GitHub Markdown, with all metrics of a column side by side."""
    parts = [f"## {escape(full_title(results))}"]
    for sheet in sheets(results):
        parts += [f"### {escape(sheet.title)}", _markdown_table(sheet)]
    if results.notes:
        parts.append("\n".join(f"- {escape(note)}" for note in results.notes))
    return "\n\n".join(parts) + "\n"


def escape(text: str) -> str:
    """Text whose characters mean nothing to Markdown."""
    return re.sub(r"([\\`*_<|\[\]&~$])", r"\\\1", text)


def _fitting(sheet: Sheet, sections: list[Section], console: Console) -> int:
    """How many of the sections fit side by side when long names of methods take several lines; at least one."""
    any_width = console.options.update(width=10**6)
    spared = max(map(len, sheet.methods)) - _longest(sheet.methods)
    for number in range(len(sections), 1, -1):
        table = _terminal_table(sheet, sections[:number])
        if Measurement.get(console, any_width, table).maximum - spared <= console.width:
            return number
    return 1


def _terminal_table(sheet: Sheet, sections: list[Section]) -> Table:
    table = Table()
    table.add_column("method", overflow="fold")
    columns = [[Text(method) for method in sheet.methods]]
    for section in sections:
        for number, (heading, entries) in enumerate(section.columns.items()):
            title = section.title if number == 0 else ""
            columns.append(_terminal_column(entries))
            lines = [line for entry in columns[-1] for line in entry.plain.split("\n")]
            width = max(len(heading), _longest(title.split()), *map(len, lines))
            table.add_column(Text(f"{title}\n{heading}"), width=width, overflow="fold")
    if sheet.runs:
        columns.append([Text(runs) for runs in sheet.runs])
        table.add_column("runs", width=max(4, *map(len, sheet.runs)), justify="right", overflow="fold")
    for row in zip(*columns, strict=True):
        table.add_row(*row)
    return table


def _terminal_column(entries: list[Entry]) -> list[Text]:
    """A column: numbers with the point at one place, below each its interval."""
    digits = max([len(entry.number) for entry in entries if entry.number not in WORDS], default=0)
    texts = []
    for entry in entries:
        if entry.number in WORDS:
            texts.append(Text(entry.number, style="dim"))
            continue
        text = Text(" " * (digits - len(entry.number))).append(entry.text, RANK_STYLES[entry.rank])
        text.append("*" if entry.star else "")
        texts.append(text.append(f"\n{entry.interval}" if entry.interval else "", "dim"))
    return texts


def _longest(words: list[str]) -> int:
    return min(max(map(len, words), default=0), LONGEST_WORD)


def _markdown_table(sheet: Sheet) -> str:
    heads, columns = ["method"], [[escape(method) for method in sheet.methods]]
    for section in sheet.sections:
        for heading, entries in section.columns.items():
            heads.append(f"{escape(section.title)}<br>{escape(heading)}")
            columns.append([_markdown_entry(entry) for entry in entries])
    if sheet.runs:
        heads.append("runs")
        columns.append(sheet.runs)
    rule = ["---"] + ["---:"] * (len(heads) - 1)
    return "\n".join(f"| {' | '.join(row)} |" for row in [heads, rule, *zip(*columns, strict=True)])


def _markdown_entry(entry: Entry) -> str:
    start, end = (("", ""), ("**", "**"), ("<u>", "</u>"))[entry.rank]
    star = r"\*" if entry.star else ""
    interval = f"<br><sub>{entry.interval}</sub>" if entry.interval else ""
    return f"{start}{entry.text}{end}{star}{interval}"
