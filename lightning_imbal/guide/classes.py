"""What docstrings say of the classes of this package; read as text, as importing torch takes long."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from textwrap import dedent

from lightning_imbal.guide.names import public
from lightning_imbal.guide.source import Parameter, Source, read

PACKAGE = "lightning_imbal"
ROOMS = ("losses", "modules", "samplers", "mixers", "heads", "predictors", "decisions", "data")
SECTION = re.compile(r"^(Args|Attributes|Raises|Example|Equation|Limits):\n", re.MULTILINE)


@dataclass(frozen=True)
class Documented:
    """A class of this package by its docstring.

    Args:
        source: The class.
        text: What follows the docstring's first line, up to the first section: paper, equation, what is special.
        equation: Plain-text mathematics, as lines.
        limits: Where not to use it, what it needs.
    """

    source: Source
    text: str
    equation: str
    limits: str

    @property
    def name(self) -> str:
        """Of the class."""
        return self.source.name

    @property
    def about(self) -> str:
        """The docstring's first line."""
        return self.source.about

    @property
    def arguments(self) -> list[Parameter]:
        """Those that it takes."""
        return self.source.parameters()

    @property
    def mentioned(self) -> list[str]:
        """The classes that its equation has."""
        return re.findall(r"`(\w+)`", self.equation)


@cache
def find_class(name: str) -> Documented | None:
    """The class of a name, with or without what is before its last dot; None if it is of another package."""
    if not name or "." in name and not name.startswith(f"{PACKAGE}."):
        return None
    sources = (read(f"{PACKAGE}.{room}.{name.rpartition('.')[2]}") for room in ROOMS)
    return next((documented(source) for source in sources if source), None)


def public_classes(room: str) -> Iterator[Documented]:
    """Those that a folder of the package offers, but for the base classes."""
    for name in public(f"{PACKAGE}.{room}"):
        source = read(f"{PACKAGE}.{room}.{name}")
        if source and not source.module.endswith(".base"):
            yield documented(source)


def documented(source: Source) -> Documented:
    """What the docstring of a class says."""
    text, *parts = SECTION.split(source.doc.partition("\n")[2])
    sections = {title: dedent(body).strip() for title, body in zip(parts[::2], parts[1::2], strict=True)}
    limits = " ".join(sections.get("Limits", "").split())
    return Documented(source, text.strip(), sections.get("Equation", ""), limits)
