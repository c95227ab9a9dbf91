"""What docstrings say of the classes of this package; read as text, as importing torch takes long."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from textwrap import dedent

PACKAGE = Path(__file__).parents[1]
ROOMS = ("losses", "modules", "samplers", "mixers", "heads", "predictors", "decisions", "data")
SECTION = re.compile(r"^(Args|Attributes|Raises|Example|Equation|Limits):\n", re.MULTILINE)
ARGUMENT = re.compile(r"^(\w+): ", re.MULTILINE)


@dataclass(frozen=True)
class Argument:
    """An argument of a class: its name, its default as it is written (None without one), and what it is."""

    name: str
    default: str | None
    about: str


@dataclass(frozen=True)
class Documented:
    """A class of this package by its docstring.

    Args:
        name: Of the class.
        about: The docstring's first line.
        text: What follows it, up to the first section: paper, equation, what is special.
        equation: Plain-text mathematics, as lines.
        limits: Where not to use it, what it needs.
        arguments: Those of its constructor and those that are described.
    """

    name: str
    about: str
    text: str
    equation: str
    limits: str
    arguments: tuple[Argument, ...]

    @property
    def mentioned(self) -> list[str]:
        """The classes that its equation has."""
        return re.findall(r"`(\w+)`", self.equation)


@cache
def find_class(name: str) -> Documented | None:
    """The class of a name, with or without what is before its last dot; None if it is of another package."""
    if not name or "." in name and not name.startswith("lightning_imbal."):
        return None
    short = name.rpartition(".")[2]
    for room in ROOMS:
        for file in sorted((PACKAGE / room).rglob("*.py")):
            text = file.read_text(encoding="utf-8")
            if re.search(rf"^class {re.escape(short)}\b", text, re.MULTILINE):
                return next(read(node) for node in _classes_in(text) if node.name == short)
    return None


def public_classes(room: str) -> Iterator[Documented]:
    """Those that a folder of the package lists, but for the base classes."""
    folder = PACKAGE / room
    for line in ast.parse((folder / "__init__.py").read_text(encoding="utf-8")).body:
        if not isinstance(line, ast.ImportFrom) or line.module is None:
            continue
        file = folder / f"{line.module.rpartition('.')[2]}.py"
        if file.stem == "base" or not file.is_file():
            continue
        public = {alias.name for alias in line.names}
        yield from (read(node) for node in _classes_in(file.read_text(encoding="utf-8")) if node.name in public)


def read(node: ast.ClassDef) -> Documented:
    """What the docstring of a class says."""
    about, _, rest = (ast.get_docstring(node) or "").partition("\n")
    text, *parts = SECTION.split(rest)
    sections = {title: dedent(body).strip() for title, body in zip(parts[::2], parts[1::2], strict=True)}
    return Documented(
        node.name,
        about,
        text.strip(),
        sections.get("Equation", ""),
        " ".join(sections.get("Limits", "").split()),
        tuple(_arguments(node, sections.get("Args", ""))),
    )


def _classes_in(text: str) -> Iterator[ast.ClassDef]:
    return (node for node in ast.parse(text).body if isinstance(node, ast.ClassDef))


def _arguments(node: ast.ClassDef, described: str) -> Iterator[Argument]:
    _, *parts = ARGUMENT.split(described)
    about = {name: " ".join(text.split()) for name, text in zip(parts[::2], parts[1::2], strict=True)}
    defaults: dict[str, str | None] = {}
    for function in node.body:
        if isinstance(function, ast.FunctionDef) and function.name == "__init__":
            given = function.args.args[1:]
            values = [None] * (len(given) - len(function.args.defaults)) + [*function.args.defaults]
            defaults = {
                argument.arg: None if value is None else ast.unparse(value)
                for argument, value in zip(given, values, strict=True)
            }
    for name in dict.fromkeys([*defaults, *about]):
        yield Argument(name, defaults.get(name), about.get(name, ""))
