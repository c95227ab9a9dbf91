"""Imports go down from floor to floor and never in a circle, files stay small, losses know only torch."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import resolve_name
from pathlib import Path
from statistics import median

import pytest

PACKAGE = "lightning_imbal"
SOURCE = Path(__file__).resolve().parents[1] / PACKAGE
# Rooms of one floor never know each other.
FLOORS = {
    7: "__main__",
    6: "cli api",
    5: "export trained",
    4: "modules report",
    3: "data callbacks launch stats tuning",
    2: "predictors runs tables batch_samplers",
    1: "losses heads backbones schedulers samplers mixers metrics loggers decisions guide command_line",
    0: "atomic_files seeding score_names contract experiment_files processes factories",
    -1: "errors wording",
}
FLOOR_OF = {f"{PACKAGE}.{name}": floor for floor, names in FLOORS.items() for name in names.split()}
# Of these folders, a file knows no other one but what begins with `base`: a paper no other paper, a verb no other verb.
APART = (f"{PACKAGE}.modules", f"{PACKAGE}.cli")
# Its work is to list what the folders offer.
VOCABULARY = f"{PACKAGE}.cli.parts.vocabulary"
# What `import lightning_imbal` offers, when it is asked for.
FACE = f"{PACKAGE}.api"
WITHOUT_TORCH = ("decisions", "runs", "tables", "stats", "report", "guide", "tuning")
MAX_LINES, MAX_MEDIAN, MAX_FILES_AT_THE_TOP = 250, 100, 12


def room_of(module: str) -> str:
    """Folder or file at the package's top that a module is in."""
    return ".".join(module.split(".")[:2])


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
    lists_its_own = file.name == "__init__.py" and module != PACKAGE and room_of(target) == room_of(module)
    is_face = module == PACKAGE and room_of(target) == FACE
    if target == PACKAGE or lists_its_own or is_face:
        return None
    here, there = FLOOR_OF[room_of(module)] if module != PACKAGE else min(FLOORS), FLOOR_OF.get(room_of(target))
    if there is None:
        return "has no floor"
    if target in known and known[target].name == "__init__.py" and module != VOCABULARY:
        return "goes through a folder's __init__"
    if room_of(target) != room_of(module):
        return None if there < here else f"floor {here} imports from floor {there}"
    folder, _, name = target.rpartition(".")
    if folder in APART and folder == module.rpartition(".")[0] and not name.startswith("base"):
        return "is another one in its own folder"
    return None


def breaches(source: Path) -> list[str]:
    known = read_modules(source)
    found = set()
    for module, file in known.items():
        place = file.relative_to(source.parent).as_posix()
        if module != PACKAGE and room_of(module) not in FLOOR_OF:
            found.add(f"{place}: has no floor")
            continue
        for line, target in imports(module, file, known):
            reason = complaint(module, file, target, known) if target.split(".")[0] == PACKAGE else None
            if reason:
                found.add(f"{place}:{line}: {target}: {reason}")
    return sorted(found)


def arrows(source: Path) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Which file imports which, and which folder, without `__init__`; a file at the top is a folder of its own."""
    known = read_modules(source)
    of_files: dict[str, set[str]] = {}
    of_folders: dict[str, set[str]] = {}
    for module, file in known.items():
        if file.name == "__init__.py":
            continue
        for _, target in imports(module, file, known):
            if target in known and known[target].name != "__init__.py":
                of_files.setdefault(module, set()).add(target)
                both = [name.rpartition(".")[0] if name.count(".") > 1 else name for name in (module, target)]
                if both[0] != both[1]:
                    of_folders.setdefault(both[0], set()).add(both[1])
    return of_files, of_folders


def circles(graph: dict[str, set[str]]) -> list[str]:
    """What can be reached from itself."""

    def reached(start: str) -> set[str]:
        seen, waiting = set(), [start]
        while waiting:
            new = graph.get(waiting.pop(), set()) - seen
            seen |= new
            waiting += new
        return seen

    return sorted(name for name in graph if name in reached(name))


def test_no_import_goes_up():
    found = breaches(SOURCE)
    assert not found, "\n" + "\n".join(found)


def test_no_circle():
    of_files, of_folders = arrows(SOURCE)
    assert of_files and of_folders
    assert not circles(of_files) and not circles(of_folders)


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
    lengths = {file: len(file.read_text(encoding="utf-8").splitlines()) for file in SOURCE.rglob("*.py")}
    assert lengths
    assert not {file.name: length for file, length in lengths.items() if length > MAX_LINES}
    assert median(lengths.values()) <= MAX_MEDIAN


def test_few_files_at_the_top():
    names = {file.name for file in SOURCE.glob("*.py")} - {"__init__.py", "__main__.py"}
    assert names and len(names) <= MAX_FILES_AT_THE_TOP


def test_results_are_read_without_torch():
    modules = [
        module
        for module, file in read_modules(SOURCE).items()
        if module.partition(".")[2].split(".")[0] in WITHOUT_TORCH
    ]
    script = f"import sys, importlib\nfor name in {modules}:\n    importlib.import_module(name)\n"
    script += "    assert 'torch' not in sys.modules, name"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert len(modules) > 4 and done.returncode == 0, done.stderr


@pytest.fixture
def made_up(tmp_path):
    """Writes a package of empty files, and one file with the given text."""

    def write(name: str, text: str) -> Path:
        source = tmp_path / PACKAGE
        for folder in ("modules", "losses", "data/splits", "stats", "cli/parts"):
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
        (
            "losses/made_up.py",
            "if True:\n    import lightning_imbal.cli.other",
            ":2: lightning_imbal.cli.other: floor 1",
        ),
        ("stats/made_up.py", "from lightning_imbal.data.base import X", "floor 3 imports from floor 3"),
        ("modules/made_up.py", "from lightning_imbal.modules.other import X", "in its own folder"),
        ("cli/made_up.py", "from lightning_imbal.cli.other import X", "in its own folder"),
        ("modules/made_up.py", "from lightning_imbal.losses import X", ":1: lightning_imbal.losses: goes through"),
        ("cli/made_up.py", "from lightning_imbal import modules, errors", ":1: lightning_imbal.modules: goes"),
        ("data/splits/made_up.py", "from lightning_imbal.modules.base import X", "floor 3 imports from floor 4"),
        ("errors.py", "import os, lightning_imbal.losses.base", ":1: lightning_imbal.losses.base: floor -1"),
        ("__init__.py", "from lightning_imbal.errors import X", "__init__.py:1: lightning_imbal.errors"),
        ("utils.py", "import os", "utils.py: has no floor"),
        ("errors.py", "from lightning_imbal.utils import X", "lightning_imbal.utils: has no floor"),
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
        ("data/made_up.py", "from lightning_imbal.data.other import X\nimport lightning_imbal.data.splits.base"),
        ("data/made_up.py", "from . import other\nfrom ..errors import UserError\nimport torch"),
        ("cli/made_up.py", "from lightning_imbal.modules.base import X\nfrom lightning_imbal import __version__"),
        ("cli/made_up.py", "from lightning_imbal.cli.parts import other"),
        ("cli/parts/vocabulary.py", "import lightning_imbal.modules"),
    ],
)
def test_downward_import_is_allowed(made_up, name, text):
    assert breaches(made_up(name, text)) == []


def test_circle_is_found(made_up):
    source = made_up("data/splits/made_up.py", "from lightning_imbal.data.other import X")
    assert circles(arrows(source)[1]) == []
    (source / "data" / "other.py").write_text("def f():\n    from .splits import made_up")
    assert circles(arrows(source)[0]) == ["lightning_imbal.data.other", "lightning_imbal.data.splits.made_up"]
    assert circles(arrows(source)[1]) == ["lightning_imbal.data", "lightning_imbal.data.splits"]
