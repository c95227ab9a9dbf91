"""What pyproject.toml declares is what is imported, and CONTRIBUTING says why."""

import ast
import functools
import re
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DISTRIBUTIONS = {
    "PIL": "pillow",
    "cv2": "opencv-python-headless",
    "faiss": "faiss-cpu",
    "jpeg_ls": "pyjpegls",
    "openjpeg": "pylibjpeg-openjpeg",
    "pytorch_grad_cam": "grad-cam",
    "sklearn": "scikit-learn",
    "websocket": "websocket-client",
    "yaml": "pyyaml",
}
# Needed by name, not by import.
OF_OTHERS = {"pyarrow"}  # pandas writes Parquet with it
DECODERS = {"pylibjpeg", "pylibjpeg-libjpeg", "pylibjpeg-openjpeg"}  # pydicom decompresses with them
TOOLS = {
    "axe-core-python",
    "ipykernel",
    "mypy",
    "pre-commit",
    "pytest-timeout",
    "pytest-xdist",
    "ruff",
    "uv",
}
BY_NAME = {"import_module", "__import__", "importorskip"}  # functions that import what a text names
OF_TESTS = (
    "tests",
    "tests/benchmarks",
    "tests/benchmarks/limits",
    "tests/coverage",
)  # folders whose files import each other by their names alone


def declared(requirements: list[str]) -> dict[str, Requirement]:
    """Requirements by the name of their distribution, without the project itself."""
    found = {canonicalize_name(each.name): each for each in map(Requirement, requirements)}
    return {name: each for name, each in found.items() if name != canonicalize_name(PROJECT["name"])}


ALWAYS = declared(PROJECT["dependencies"])
OPTIONAL = {extra: declared(names) for extra, names in PROJECT["optional-dependencies"].items()}
DISTRIBUTION_NAMES = ALWAYS.keys() | {name for names in OPTIONAL.values() for name in names}
OF_USERS = {name for extra, names in OPTIONAL.items() if extra not in ("dev", "docs") for name in names}


@functools.cache  # two tests ask for the package
def imported(folder: Path, own: frozenset[str] = frozenset()) -> dict[str, str]:
    """Distributions that the files of a folder import, also inside functions and by name, each with the first place.

    Args:
        folder: The folder; files below it count too.
        own: Modules that are no distribution's.
    """
    known = sys.stdlib_module_names | {PROJECT["name"], *own}
    found: dict[str, str] = {}
    for file in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            for top in {name.partition(".")[0] for name in modules(node)} - known:
                distribution = canonicalize_name(DISTRIBUTIONS.get(top, top))
                found.setdefault(distribution, f"{file.relative_to(folder)}:{node.lineno}")
    return found


def modules(node: ast.AST) -> list[str]:
    """What a statement or a call imports."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [] if node.level else [node.module]
    if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        function = getattr(node.func, "attr", getattr(node.func, "id", ""))
        return [node.args[0].value] if function in BY_NAME else []
    return []


def test_all_that_the_package_imports_is_declared():
    found = imported(ROOT / PROJECT["name"])
    assert len(found) > 20
    assert not {name: place for name, place in found.items() if name not in ALWAYS.keys() | OF_USERS}


def test_all_that_is_declared_is_imported():
    found = imported(ROOT / PROJECT["name"]).keys()
    assert ALWAYS.keys() - found == OF_OTHERS
    assert found >= OF_USERS - DECODERS


def test_all_that_tests_import_is_declared():
    own = frozenset(each.stem for folder in OF_TESTS for each in (ROOT / folder).iterdir())
    found = imported(ROOT / "tests", own)
    assert not {name: place for name, place in found.items() if name not in DISTRIBUTION_NAMES}
    assert OPTIONAL["dev"].keys() - found.keys() == TOOLS


def test_imports_are_found_wherever_they_are(tmp_path):
    (tmp_path / "room").mkdir()
    text = "import os, numpy.linalg\nfrom . import x\nfrom own import y\n\n\ndef f():\n    from cv2 import imread\n"
    text += "    import_module('ray.tune'), __import__('yaml'), pytest.importorskip('room', reason='x'), print('z')\n"
    (tmp_path / "room" / "file.py").write_text(text)
    lines = {"numpy": 1, "opencv-python-headless": 7, "ray": 8, "pyyaml": 8, "room": 8}
    assert imported(tmp_path, frozenset({"own"})) == {name: f"room/file.py:{line}" for name, line in lines.items()}


def test_only_two_have_an_upper_bound():
    bounded = {
        name: str(each.specifier)
        for name, each in ALWAYS.items()
        if any(part.operator not in (">=", ">") for part in each.specifier)
    }
    assert bounded == {"albumentations": "==2.0.8", "lightning": "<2.7,>=2.6"}


def test_each_has_a_lower_bound():
    assert all(each.specifier for requirements in (ALWAYS, *OPTIONAL.values()) for each in requirements.values())


@pytest.mark.parametrize("name", sorted(ALWAYS))
def test_what_is_installed_fulfils_it(name):
    assert ALWAYS[name].specifier.contains(version(name), prereleases=True)


def test_the_guide_says_why_each_is_there():
    guide = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## Why each dependency is there")[2]
    words = set(re.findall(r"[a-z0-9]+(?:-[a-z0-9]+)*", guide.lower()))
    named = {"pytest-timeout": "timeout", "pytest-xdist": "xdist"}
    assert not {name for name in DISTRIBUTION_NAMES if named.get(name, name) not in words}
