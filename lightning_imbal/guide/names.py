"""What the modules of Python files define and import, read from their sources: importing torch takes seconds."""

import ast
import os
from collections.abc import Iterator
from functools import cache
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path


@cache
def find(module: str, name: str) -> tuple[str, ast.AST] | None:
    """The module that defines what a name means in a module, and the syntax of that; None if it is not found."""
    names = names_in(module)
    origin = names.get(name)
    if isinstance(origin, ast.AST):
        return module, origin
    if origin is not None and origin != f"{module}.{name}":
        return find(*origin.rpartition(".")[::2])
    stars = (of for key, of in names.items() if key.startswith("*") and isinstance(of, str) and of != module)
    return next((found for of in stars if _mentions(of, name) and (found := find(of, name))), None)


def _mentions(module: str, name: str) -> bool:
    """Whether a module may define a name or import it: looking is quicker than parsing."""
    text = _text(module)
    return name in text or "import *" in text


@cache
def _text(module: str) -> str:
    file = _file(module)
    return file.read_text(encoding="utf-8") if file else ""


def public(module: str) -> list[str]:
    """The names that a module offers: its `__all__`, else what it imports."""
    names = names_in(module)
    listed = names.get("__all__")
    if isinstance(listed, ast.List | ast.Tuple):
        return [str(entry.value) for entry in listed.elts if isinstance(entry, ast.Constant)]
    return [name for name in names if not name.startswith(("_", "*"))]


def keys(module: str, name: str) -> list[str]:
    """The keys of a dictionary that a module defines."""
    found = names_in(module).get(name)
    return (
        [str(key.value) for key in found.keys if isinstance(key, ast.Constant)] if isinstance(found, ast.Dict) else []
    )


@cache
def names_in(module: str) -> dict[str, ast.AST | str]:
    """What a module defines, as its syntax, and what it imports, as a path; modules of which it takes all as `*...`."""
    file = _file(module)
    if file is None:
        return {}
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    found: dict[str, ast.AST | str] = {}
    for line in _lines(ast.parse(_text(module)).body):
        match line:
            case ast.ClassDef():
                found[line.name] = line
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                found[name] = value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.AST() as value):
                found[name] = value
            case ast.Import():
                found |= {each.asname or each.name.partition(".")[0]: _top(each) for each in line.names}
            case ast.ImportFrom():
                above = package.split(".")[: len(package.split(".")) + 1 - line.level] if line.level else []
                origin = ".".join([*above, *filter(None, [line.module])])
                for each in line.names:
                    name = f"*{origin}" if each.name == "*" else each.asname or each.name
                    found[name] = origin if each.name == "*" else f"{origin}.{each.name}"
    return found


def _top(alias: ast.alias) -> str:
    return alias.name if alias.asname else alias.name.partition(".")[0]


def _lines(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for line in body:
        yield line
        if isinstance(line, ast.If | ast.Try):
            yield from _lines([*line.body, *line.orelse])


@cache
def _file(module: str) -> Path | None:
    top, *below = module.split(".")
    try:
        spec = find_spec(top) or PathFinder.find_spec(top, [os.getcwd()])
    except (ValueError, ImportError):
        return None
    if spec is None or not spec.origin:
        return None
    place = Path(spec.origin).parent if spec.submodule_search_locations else Path(spec.origin).with_suffix("")
    place = place.joinpath(*below)
    files = (place / "__init__.py", place.with_suffix(".py"))
    return next((file for file in files if file.is_file()), None)
