"""The tables of a paper as GitHub Markdown."""

from collections.abc import Sequence

from lightning_imbal.report.tables.sheet import Entry, Sheet
from lightning_imbal.report.tables.sheets_subgroups import all_notes, all_sheets
from lightning_imbal.stats.results import Results, full_title
from lightning_imbal.wording import escape_markdown


def to_markdown(results: Results) -> str:
    """The same as GitHub Markdown, with all metrics of a column side by side."""
    return sheets_to_markdown(full_title(results), all_sheets(results), all_notes(results))


def sheets_to_markdown(title: str, sheets: Sequence[Sheet], notes: Sequence[str]) -> str:
    """Tables as GitHub Markdown, with what is said of all of them below."""
    parts = [f"## {escape_markdown(title)}"]
    for sheet in sheets:
        parts += [f"### {escape_markdown(sheet.title)}", markdown_table(sheet)]
    if notes:
        parts.append("\n".join(f"- {escape_markdown(note)}" for note in notes))
    return "\n\n".join(parts) + "\n"


def markdown_table(sheet: Sheet) -> str:
    heads, columns = [escape_markdown(sheet.of)], [_names(sheet)]
    for section in sheet.sections:
        for heading, entries in section.columns.items():
            below = f"<br>{escape_markdown(heading)}" if heading else ""
            heads.append(f"{escape_markdown(section.title)}{below}")
            columns.append([_markdown_entry(entry) for entry in entries])
    if sheet.runs:
        heads.append("runs")
        columns.append(sheet.runs)
    rule = ["---"] + ["---:"] * (len(heads) - 1)
    return "\n".join(f"| {' | '.join(row)} |" for row in [heads, rule, *zip(*columns, strict=True)])


def _names(sheet: Sheet) -> list[str]:
    """Names of the rows with the remarks on them; in italics what needs no training."""
    names = []
    for place, method in enumerate(sheet.methods):
        italics = "" if place < sheet.trained else "*"
        remark = sheet.remark(place)
        below = f"<br><sub>{escape_markdown(remark)}</sub>" if remark else ""
        names.append(f"{italics}{escape_markdown(method)}{italics}{below}")
    return names


def _markdown_entry(entry: Entry) -> str:
    start, end = (("", ""), ("**", "**"), ("<u>", "</u>"))[entry.rank]
    star = r"\*" if entry.star else ""
    interval = f"<br><sub>{entry.interval}</sub>" if entry.interval else ""
    word = f"<br><sub>{escape_markdown(entry.word)}</sub>" if entry.word else ""
    return f"{start}{entry.text}{end}{star}{interval}{word}"
