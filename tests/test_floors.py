"""Imports go down from floor to floor, files stay small, losses know only torch."""

import ast
import sys
from collections.abc import Iterator
from importlib.util import resolve_name
from pathlib import Path

import pytest

PACKAGE = "lightning_imbal"
SOURCE = Path(__file__).resolve().parents[1] / PACKAGE
FLOORS = {
    6: "cli cli_errors checks data_verbs stages run_folder second_stage predict table_check table_cost table_steps "
    "table_verb compare_check compare_verb "
    "report_verb export_verb dashboard_verb verb_parser __main__",
    5: "report export",
    4: "tables",
    3: "modules data",
    2: "callbacks predictors mixers batch_samplers data.dataset data.features data.loaders data.open_images",
    1: "losses heads metrics loggers samplers backbones schedulers data.index data.splits data.long_tail "
    "data.transforms data.cache data.disk_cache",
    0: "errors memory quiet whole_files",
}
FLOOR_OF = {f"{PACKAGE}.{name}": floor for floor, names in FLOORS.items() for name in names.split()}
TOP = max(FLOORS)
FOLDERS_WITH_SIBLINGS = {f"{PACKAGE}.{name}" for name in ("losses", "data", "callbacks", "report", "tables")}
MAX_LINES = 250


def floor_of(module: str) -> int | None:
    """Floor of a module, else that of the folder it is in; None if neither has one."""
    while module and module not in FLOOR_OF:
        module = module.rpartition(".")[0]
    return FLOOR_OF.get(module)


def read_modules(source: Path) -> dict[str, Path]:
    """Every file of the package by its dotted name; a folder's `__init__` has the folder's name."""
    return {
        ".".join(file.relative_to(source.parent).with_suffix("").parts).removesuffix(".__init__"): file
        for file in sorted(source.rglob("*.py"))
    }


def imports(module: str, file: Path, known: dict[str, Path]) -> Iterator[tuple[int, str]]:
    """Line and dotted name of every module that a file imports, also inside functions."""
    folder = module if file.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = resolve_name("." * node.level + (node.module or ""), folder)
            for alias in node.names:
                whole = f"{origin}.{alias.name}"
                yield node.lineno, whole if whole in known else origin


def complaint(module: str, file: Path, target: str, known: dict[str, Path]) -> str | None:
    """Why a file may not import a module of the package, or None if it may."""
    own_file_of_init = module != PACKAGE and file.name == "__init__.py" and target.startswith(f"{module}.")
    if target == PACKAGE or floor_of(module) == TOP or own_file_of_init:
        return None
    if target in known and known[target].name == "__init__.py":
        return "goes through a folder's __init__"
    here, there = floor_of(module) or 0, floor_of(target)
    if there is None:
        return "has no floor"
    folder, name = target.rpartition(".")[::2]
    beside = folder == module.rpartition(".")[0] != PACKAGE
    if there < here or (there == here and beside and (name.startswith("base") or folder in FOLDERS_WITH_SIBLINGS)):
        return None
    return f"floor {here} imports from floor {there}" + (" in its own folder" if beside else "")


def breaches(source: Path) -> list[str]:
    known = read_modules(source)
    found = set()
    for module, file in known.items():
        place = file.relative_to(source.parent).as_posix()
        if module != PACKAGE and floor_of(module) is None:
            found.add(f"{place}: has no floor")
            continue
        for line, target in imports(module, file, known):
            reason = complaint(module, file, target, known) if target.split(".")[0] == PACKAGE else None
            if reason:
                found.add(f"{place}:{line}: {target}: {reason}")
    return sorted(found)


def test_no_import_goes_up():
    found = breaches(SOURCE)
    assert not found, "\n" + "\n".join(found)


def test_losses_import_only_torch():
    known = read_modules(SOURCE)
    allowed = sys.stdlib_module_names | {"torch"}
    found = [
        f"{file.name}:{line}: {target}"
        for module, file in known.items()
        if f"{module}.".startswith(f"{PACKAGE}.losses.")
        for line, target in imports(module, file, known)
        if target.split(".")[0] not in allowed and not target.startswith(f"{PACKAGE}.losses.")
    ]
    assert f"{PACKAGE}.losses.base" in known
    assert not found, "\n" + "\n".join(found)


def test_files_are_small():
    lengths = {file.name: len(file.read_text(encoding="utf-8").splitlines()) for file in SOURCE.rglob("*.py")}
    assert lengths
    assert not {name: length for name, length in lengths.items() if length > MAX_LINES}


@pytest.fixture
def made_up(tmp_path):
    """Writes a package of empty files, and one file with the given text."""

    def write(name: str, text: str) -> Path:
        source = tmp_path / PACKAGE
        for folder in ("modules", "losses", "data", "report"):
            (source / folder).mkdir(parents=True)
            for file in ("__init__", "base", "other"):
                (source / folder / f"{file}.py").touch()
        (source / name).write_text(text)
        return source

    return write


@pytest.mark.parametrize(
    "name, text, said",
    [
        (
            "losses/made_up.py",
            "def f():\n    import lightning_imbal.modules.base",
            ":2: lightning_imbal.modules.base",
        ),
        ("losses/made_up.py", "from ..modules import base", ":1: lightning_imbal.modules.base: floor 1 imports"),
        ("losses/made_up.py", "if True:\n    import lightning_imbal.cli", ":2: lightning_imbal.cli: floor 1"),
        ("modules/made_up.py", "from lightning_imbal.data.base import X", "floor 3 imports from floor 3"),
        ("data/made_up.py", "from lightning_imbal import modules, errors", ":1: lightning_imbal.modules: goes"),
        ("modules/made_up.py", "from lightning_imbal.modules.other import X", "in its own folder"),
        ("modules/made_up.py", "from lightning_imbal.losses import X", ":1: lightning_imbal.losses: goes through"),
        ("data/splits.py", "from lightning_imbal.data.base import X", "floor 1 imports from floor 3"),
        ("predictors.py", "from lightning_imbal.mixers import X", "floor 2 imports from floor 2"),
        ("errors.py", "import os, lightning_imbal.samplers", ":1: lightning_imbal.samplers: floor 0"),
        ("__init__.py", "from lightning_imbal.errors import X", "__init__.py:1: lightning_imbal.errors"),
        ("utils.py", "import os", "utils.py: has no floor"),
    ],
)
def test_upward_import_is_found(made_up, name, text, said):
    found = breaches(made_up(name, text))
    assert len(found) == 1
    assert name in found[0] and said in found[0]


@pytest.mark.parametrize(
    "name, text",
    [
        (
            "modules/made_up.py",
            "from lightning_imbal.losses.other import X\nfrom lightning_imbal.modules.base import Y",
        ),
        ("modules/__init__.py", "from lightning_imbal.modules.other import X"),
        ("data/made_up.py", "from lightning_imbal.data.other import X\nimport lightning_imbal.data.splits"),
        ("report/made_up.py", "from . import other\nfrom ..errors import UserError\nimport torch"),
        ("stages.py", "from lightning_imbal.modules import X\nfrom lightning_imbal import predict, __version__"),
    ],
)
def test_downward_import_is_allowed(made_up, name, text):
    assert breaches(made_up(name, text)) == []
