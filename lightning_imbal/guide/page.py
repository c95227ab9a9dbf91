"""A page about one thing, and how it is written in a terminal."""

import textwrap
from dataclasses import dataclass
from typing import Any

WIDTH, WIDTH_OF_LAST = 80, 24


@dataclass(frozen=True)
class Section:
    """A part of a page: a heading, and below it what there is of text, points, a table, code.

    Args:
        title: Heading.
        text: A paragraph.
        items: Points.
        rows: Of a table; the first is its head.
        code: Lines that stay as they are: mathematics, YAML, commands.
        language: Of the code, such as `yaml`; empty for mathematics.
    """

    title: str
    text: str = ""
    items: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    code: str = ""
    language: str = ""


@dataclass(frozen=True)
class Page:
    """What there is to know of one thing.

    Args:
        kind: Such as `methods`.
        name: As it is typed.
        title: As people call it.
        about: What it is, in a sentence or two.
        sections: All else.
    """

    kind: str
    name: str
    title: str
    about: str
    sections: tuple[Section, ...]

    def section(self, title: str) -> Section | None:
        """The section of a title, if there is one."""
        return next((section for section in self.sections if section.title == title), None)


def as_text(page: Page) -> str:
    """A page for a terminal of 80 columns."""
    head = page.title if page.title == page.name else f"{page.title} ({page.kind} {page.name})"
    return "\n\n".join([_wrapped(head), _wrapped(page.about), *map(_section_text, page.sections)]).strip()


def as_dict(page: Page) -> dict[str, Any]:
    """A page for JSON."""
    sections = {}
    for section in page.sections:
        parts = {"text": section.text, "items": section.items, "rows": section.rows, "code": section.code}
        sections[section.title] = {key: value for key, value in parts.items() if value}
    return {"name": page.name, "title": page.title, "about": page.about, "sections": sections}


def _section_text(section: Section) -> str:
    lines = [section.title]
    if section.text:
        lines.append(_wrapped(section.text, "  "))
    lines += [_wrapped(item, "  - ", "    ") for item in section.items]
    if section.rows:
        lines += _table_lines(section.rows)
    if section.code:
        lines.append(textwrap.indent(section.code.rstrip("\n"), "  "))
    return "\n".join(lines)


def _wrapped(text: str, first: str = "", later: str | None = None) -> str:
    indent = first if later is None else later
    return textwrap.fill(
        text, WIDTH, initial_indent=first, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _table_lines(rows: tuple[tuple[str, ...], ...]) -> list[str]:
    """Columns side by side, the last one wrapped; a row that is too wide for that has a line for each column."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    if sum(widths[:-1]) + 2 * len(widths) > WIDTH - WIDTH_OF_LAST:
        head, *records = rows
        return [line for record in records for line in _record_lines(head, record)]
    lines = []
    for row in rows:
        start = "".join(f"{cell:{width}}  " for cell, width in zip(row, widths[:-1], strict=False))
        lines.append(_wrapped(row[-1], f"  {start}", " " * (len(start) + 2)) if row[-1] else f"  {start}".rstrip())
    return lines


def _record_lines(head: tuple[str, ...], record: tuple[str, ...]) -> list[str]:
    width = max(map(len, head))
    return [f"  {record[0]}", *(f"    {name:{width}}  {cell}" for name, cell in zip(head[1:], record[1:], strict=True))]
