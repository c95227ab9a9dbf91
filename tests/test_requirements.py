"""What pyproject.toml declares is what is imported, and CONTRIBUTING says why."""

import ast
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
    "sklearn": "scikit-learn",
    "websocket": "websocket-client",
    "yaml": "pyyaml",
}
# Needed by name, not by import.
OF_OTHERS = {"pyarrow"}  # pandas writes Parquet with it
TOOLS = {"hatchling", "mypy", "pre-commit", "pytest-timeout", "pytest-xdist", "ruff"}


def declared(requirements: list[str]) -> dict[str, Requirement]:
    """Requirements by the name of their distribution, without the project itself."""
    found = {canonicalize_name(each.name): each for each in map(Requirement, requirements)}
    return {name: each for name, each in found.items() if name != canonicalize_name(PROJECT["name"])}


ALWAYS = declared(PROJECT["dependencies"])
OPTIONAL = {extra: declared(names) for extra, names in PROJECT["optional-dependencies"].items()}
DISTRIBUTION_NAMES = ALWAYS.keys() | {name for names in OPTIONAL.values() for name in names}
OF_USERS = {name for extra, names in OPTIONAL.items() if extra != "dev" for name in names}


def imported(folder: Path) -> dict[str, str]:
    """Distributions that the files of a folder import, also inside functions, each with the first place."""
    own = {file.stem for file in folder.rglob("*.py")} | {each.name for each in folder.rglob("*") if each.is_dir()}
    found: dict[str, str] = {}
    for file in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            for top in {name.partition(".")[0] for name in names} - sys.stdlib_module_names - {PROJECT["name"]}:
                distribution = canonicalize_name(DISTRIBUTIONS.get(top, top))
                if distribution in DISTRIBUTION_NAMES or top not in own:
                    found.setdefault(distribution, f"{file.relative_to(folder)}:{node.lineno}")
    return found


def test_all_that_the_package_imports_is_declared():
    found = imported(ROOT / PROJECT["name"])
    assert len(found) > 20
    assert not {name: place for name, place in found.items() if name not in ALWAYS.keys() | OF_USERS}


def test_all_that_is_declared_is_imported():
    found = imported(ROOT / PROJECT["name"]).keys()
    assert ALWAYS.keys() - found == OF_OTHERS
    assert found >= OF_USERS


def test_all_that_tests_import_is_declared():
    found = imported(ROOT / "tests")
    assert not {name: place for name, place in found.items() if name not in DISTRIBUTION_NAMES}
    assert OPTIONAL["dev"].keys() - found.keys() == TOOLS


def test_imports_are_found_wherever_they_are(tmp_path):
    (tmp_path / "room").mkdir()
    text = "import os, numpy.linalg\nfrom . import x\nfrom room import y\n\n\ndef f():\n    from cv2 import imread\n"
    (tmp_path / "room" / "file.py").write_text(text)
    assert imported(tmp_path) == {"numpy": "room/file.py:1", "opencv-python-headless": "room/file.py:7"}


def test_only_two_have_an_upper_bound():
    bounded = {
        name: str(each.specifier)
        for name, each in ALWAYS.items()
        if any(part.operator not in (">=", ">") for part in each.specifier)
    }
    assert bounded == {"albumentations": "==2.0.8", "lightning": "<2.7,>=2.6"}
    assert all(each.specifier for name, each in ALWAYS.items() if name != "torchvision")  # torch chooses its version


@pytest.mark.parametrize("name", sorted(ALWAYS))
def test_what_is_installed_fulfils_it(name):
    assert ALWAYS[name].specifier.contains(version(name), prereleases=True)


def test_the_guide_says_why_each_is_there():
    guide = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## Why each dependency is there")[2]
    words = set(re.findall(r"[a-z0-9]+(?:-[a-z0-9]+)*", guide.lower()))
    named = {"pytest-timeout": "timeout", "pytest-xdist": "xdist"}
    assert not {name for name in DISTRIBUTION_NAMES if named.get(name, name) not in words}
