"""The tables of a paper in the terminal."""

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from lightning_imbal.report.tables.sheet import QUOTED, Entry, Section, Sheet
from lightning_imbal.report.tables.sheets_subgroups import all_notes, all_sheets
from lightning_imbal.stats.results import Results, full_title
from lightning_imbal.wording import NOT_MEASURED

WORDS = (QUOTED, NOT_MEASURED, "")
RANK_STYLES = ("", "bold", "underline")
# Of a name of a method, before it goes on in the next line to make room; of a word of a heading, before it is cut.
LONGEST_WORD = 20


def render_terminal(results: Results, console: Console) -> None:
    """Prints published and measured numbers of every column, below them the F1 of its classes, then the notes.

    The sections of a table that is wider than the console are spread over several.
    """
    console.print(Text(full_title(results), style="bold"))
    for sheet in all_sheets(results):
        print_sheet(sheet, console)
    notes = all_notes(results)
    if notes:
        console.print()
    for note in notes:
        console.print(Text(note))


def print_sheet(sheet: Sheet, console: Console) -> None:
    """Prints a table below an empty line and its title; what does not fit side by side comes in further tables."""
    console.print()
    console.print(Text(sheet.title, style="italic"))
    rest = sheet.sections
    while rest:
        number = _fitting(sheet, rest, console)
        console.print(_terminal_table(sheet, rest[:number]))
        rest = rest[number:]


def _fitting(sheet: Sheet, sections: list[Section], console: Console) -> int:
    """How many of the sections fit side by side when long names of methods take several lines; at least one."""
    any_width = console.options.update(width=10**6)
    lines = [line for name in _names(sheet) for line in name.plain.split("\n")]
    spared = max(map(len, lines)) - _longest(lines)
    for number in range(len(sections), 1, -1):
        table = _terminal_table(sheet, sections[:number])
        if Measurement.get(console, any_width, table).maximum - spared <= console.width:
            return number
    return 1


def _terminal_table(sheet: Sheet, sections: list[Section]) -> Table:
    table = Table()
    table.add_column(Text(sheet.of), overflow="fold")
    columns = [_names(sheet)]
    for section in sections:
        for number, (heading, entries) in enumerate(section.columns.items()):
            title = section.title if number == 0 else ""
            columns.append(_terminal_column(entries))
            lines = [line for entry in columns[-1] for line in entry.plain.split("\n")]
            width = max(len(heading), _longest(title.split()), *map(len, lines))
            table.add_column(Text(f"{title}\n{heading}" if heading else title), width=width, overflow="fold")
    if sheet.runs:
        columns.append([Text(runs) for runs in sheet.runs])
        table.add_column("runs", width=max(4, *map(len, sheet.runs)), justify="right", overflow="fold")
    for place, row in enumerate(zip(*columns, strict=True)):
        if place == sheet.trained:
            table.add_section()
        table.add_row(*row)
    return table


def _names(sheet: Sheet) -> list[Text]:
    """Names of the rows with the remarks on them, which go on in the next line to make room."""
    remarks = map(sheet.remark, range(len(sheet.methods)))
    return [
        Text(method).append(f"\n{remark}" if remark else "", "dim")
        for method, remark in zip(sheet.methods, remarks, strict=True)
    ]


def _terminal_column(entries: list[Entry]) -> list[Text]:
    """A column: numbers with the point at one place, below each its interval."""
    digits = max([len(entry.number) for entry in entries if entry.number not in WORDS], default=0)
    texts = []
    for entry in entries:
        if entry.number in WORDS:
            texts.append(Text("\n".join(filter(None, [entry.number, entry.word])), style="dim"))
            continue
        text = Text(" " * (digits - len(entry.number))).append(entry.text, RANK_STYLES[entry.rank])
        text.append("*" if entry.star else "")
        below = "".join(f"\n{each}" for each in (entry.interval, entry.word) if each)
        texts.append(text.append(below, "dim"))
    return texts


def _longest(words: list[str]) -> int:
    return min(max(map(len, words), default=0), LONGEST_WORD)
