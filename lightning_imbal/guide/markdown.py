"""A page as Markdown, and the list of all methods, for the documentation."""

import re
from pathlib import Path

from lightning_imbal.experiment_files import display_name, files_of
from lightning_imbal.guide.comments import comment
from lightning_imbal.guide.methods import RESULTS, method_page
from lightning_imbal.guide.page import Page, Section
from lightning_imbal.guide.results import NOT_RUN

SPLITS = ("By image", "By lesion")  # the columns of experiments/tables/isic2018_small.yaml
BELOW = {"methods": "methods", "heads": "methods/heads"}


def as_markdown(page: Page) -> str:
    """A page of the documentation."""
    return "\n\n".join([f"# {page.title}", page.about, *map(section_markdown, page.sections)]) + "\n"


def section_markdown(section: Section, level: int = 2) -> str:
    """A section with its heading."""
    parts = [f"{'#' * level} {section.title}", section.text, "\n".join(f"- {item}" for item in section.items)]
    if section.rows:
        parts.append(table_markdown(section.rows))
    if section.code:
        parts.append(f"```{section.language}\n{section.code.rstrip()}\n```")
    return "\n\n".join(filter(None, parts))


def table_markdown(rows: tuple[tuple[str, ...], ...]) -> str:
    """A table whose first row is its head."""
    head, *body = [f"| {' | '.join(cell.replace('|', '&#124;') for cell in row)} |" for row in rows]
    return "\n".join([head, f"|{' --- |' * len(rows[0])}", *body])


def pages() -> dict[str, str]:
    """A page of the documentation for each method and each head, by its path below `docs`."""
    return {
        f"{folder}/{name}.md": as_markdown(method_page(name, kind))
        for kind, folder in BELOW.items()
        for name in files_of(kind)
    }


def titles(kind: str) -> dict[str, str]:
    """The path below `docs` of each page of methods or heads, by its title."""
    return {display_name(file): f"{BELOW[kind]}/{name}.md" for name, file in files_of(kind).items()}


def index(kind: str) -> str:
    """All methods, or all heads, as a table: what each is, its stages, what it reached here."""
    rows: list[tuple[str, ...]] = [("", "What it is", "Stages", "Macro F1 by image", "Macro F1 by lesion")]
    if kind == "heads":
        rows = [("", "What it is", "After CE: macro F1 by image", "Macro F1 by lesion")]
    for name, file in files_of(kind).items():
        page = method_page(name, kind)
        stages = page.section("Stages")
        link = f"[{page.title}]({'heads/' if kind == 'heads' else ''}{name}.md)"
        number = [str(len(stages.items))] if stages and kind == "methods" else []
        rows.append((link, _what(file), *number, *_reached(page)))
    return table_markdown(tuple(rows))


def _what(file: Path) -> str:
    """The first sentence about it, without its name."""
    text = comment(file)
    # An abbreviation ends no sentence.
    first = re.split(r"(?<!et al)[.] ", text.partition(": ")[2] or text)[0].rstrip(".")
    return f"{first[:1].upper()}{first[1:]}."


def _reached(page: Page) -> tuple[str, ...]:
    """Macro F1 of the method itself, which is the first row of each split, in the first table that was run with it."""
    section = page.section(RESULTS)
    head, *rows = section.rows if section and section.rows else ((),)
    column = head.index("Macro F1") if "Macro F1" in head else 0
    reached = (next((row[column] for row in rows if row[0].endswith(split)), NOT_RUN) for split in SPLITS)
    return tuple(reached)
