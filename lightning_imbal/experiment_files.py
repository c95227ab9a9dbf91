"""Finds the files of `experiments` by short names such as `methods/ecl.yaml`, yours first, and reads their YAML."""

import os
import sys
from collections.abc import Sequence
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from lightning_imbal.errors import UserError
from lightning_imbal.wording import did_you_mean

RANKS = ("RANK", "LOCAL_RANK", "SLURM_PROCID")
OVERLAYS = ("methods", "heads", "data", "backbones", "variants")


def folders() -> list[Path]:
    """Where experiments are: `experiments` of the working folder, if there is one, then that of the package."""
    package = Path(__file__).resolve().parent
    inside, checkout = package / "experiments", package.parent / "experiments"
    shipped = inside if inside.is_dir() else checkout
    own = Path("experiments")
    return [own] if own.resolve() == shipped else [*filter(Path.is_dir, [own]), shipped]


def files_of(kind: str, *places: Path) -> dict[str, Path]:
    """The files of one kind by their names without `.yaml`; where several places have a name, the first one's.

    Args:
        kind: Folder such as `methods`, or `.` for the protocols.
        places: Folders that have such a folder; by default `folders()`.
    """
    files = [file for place in reversed(places or folders()) for file in sorted((place / kind).glob("*.yaml"))]
    return dict(sorted({file.stem: file for file in files}.items()))


def display_name(file: Path) -> str:
    """What a method or a head calls itself: the first words of its file, up to a colon, or else the file's name."""
    name, colon, _ = file.read_text(encoding="utf-8").partition("\n")[0].partition(": ")
    return name.removeprefix("# ") if colon and name.startswith("# ") else file.stem


def find(name: str, kind: str = ".") -> str:
    """The path of a configuration: as it is given if there is such a file, else below `experiments`.

    Which file is meant is printed where it is not the path that was given.

    Args:
        name: Such as `demo.yaml`, `methods/ecl.yaml` or `experiments/methods/ecl.yaml`.
        kind: Folder of `experiments` whose files need not name it, such as `tables`.

    Raises:
        UserError: There is no such file.
    """
    if Path(name).is_file():
        return name
    below = name.removeprefix("experiments/")
    for folder in folders():
        for file in (folder / kind / below, folder / below):
            if file.is_file():
                _say(name, str(file))
                return str(file)
    raise UserError(f"There is no {'table' if kind == 'tables' else 'file'} {name}: {_hint(below, kind)}")


# libyaml's, if PyYAML has them: ten times as fast.
LOADER, DUMPER = (getattr(yaml, f"C{kind.__name__}", kind) for kind in (yaml.SafeLoader, yaml.SafeDumper))


def read_yaml(file: str | Path) -> Any:
    """What a YAML file holds.

    Raises:
        UserError: It is no YAML, or has a key twice, of which YAML would keep the last; the message says where.
    """
    try:
        return parse_yaml(Path(file).read_text(encoding="utf-8"), str(file))
    except UnicodeDecodeError as error:
        raise UserError(f"{file} is not valid YAML: save it as text with UTF-8 encoding.") from error


def parse_yaml(text: str, source: str) -> Any:
    """As `read_yaml`, for a text and what it is called in the message."""
    return deepcopy(_parsed(text, source))


@cache
def _parsed(text: str, source: str) -> Any:
    """Parses a text once, however many runs of a table it is part of."""
    try:
        try:
            return _loaded(text, LOADER)
        except yaml.YAMLError:
            return _loaded(text, yaml.SafeLoader)  # says what is wrong in clearer words
    except _TwiceError as error:
        raise UserError(f"{source} {error}: keep one of them.") from error
    except yaml.YAMLError as error:
        raise UserError(f"{source} is not valid YAML: {' '.join(str(error).split())}.") from error


def _loaded(text: str, kind: Any) -> Any:
    """Reads a text by a loader of PyYAML."""
    loader = kind(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _check_keys(node, set())
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _check_keys(node: yaml.Node, seen: set[int]) -> None:
    """Refuses a mapping that has a key twice; those of anchors, merged in later, may be given again."""
    if isinstance(node, yaml.ScalarNode) or id(node) in seen:
        return
    seen.add(id(node))
    lines: dict[tuple[str, str], int] = {}
    for entry in node.value:
        key, *values = entry if isinstance(entry, tuple) else (None, entry)
        for value in values:
            _check_keys(value, seen)
        if isinstance(key, yaml.ScalarNode):
            line, name = key.start_mark.line + 1, (key.tag, key.value)
            if name in lines:
                raise _TwiceError(f"has the key {key.value!r} twice, in lines {lines[name]} and {line}")
            lines[name] = line


class _TwiceError(Exception):
    """A mapping has a key twice."""


def with_files_found(arguments: Sequence[str]) -> list[str]:
    """A command line whose values of --config, or -c for short, are the paths of files; each -c is written out.

    Raises:
        UserError: There is no such file.
    """
    whole: list[str] = []
    for before, argument in zip(["", *arguments], map(_long, arguments), strict=False):
        if before in ("-c", "--config"):
            argument = find(argument)
        elif argument.startswith("--config="):
            argument = f"--config={find(argument.partition('=')[2])}"
        whole.append(argument)
    return whole


def _long(argument: str) -> str:
    """`-c`, `-c=FILE` or `-cFILE` with --config; anything else as it is."""
    if not argument.startswith("-c"):
        return argument
    file = argument.removeprefix("-c").removeprefix("=")
    return f"--config={file}" if file else "--config"


def beside(place: str | Path) -> str:
    """A question about a file or folder that is not there: what has a name like it, there or in `runs`; or nothing."""
    whole = Path(place)
    folder = next((parent for parent in whole.parents if parent.is_dir()), Path())
    first, *rest = whole.relative_to(folder).parts if whole.is_relative_to(folder) else whole.parts
    places = [each for of in dict.fromkeys([folder, Path("runs")]) if of.is_dir() for each in of.iterdir()]
    meant = {each.name: str(each.joinpath(*rest)) for each in reversed(places) if each.joinpath(*rest).exists()}
    return did_you_mean(first, sorted(meant), show=lambda name: meant[name])


def _hint(name: str, kind: str) -> str:
    overlays = [f"{of}/{file.stem}" for of in OVERLAYS for file in files_of(of).values()] if kind == "." else []
    known = [*files_of(kind), *overlays]
    folder, stem = Path(name).parent.name, Path(name).stem
    # A name without its folder, or in another one, is meant as much as one with a letter too many.
    if same := [short for short in known if Path(short).stem == stem]:
        return f"did you mean {' or '.join(f'{short}.yaml' for short in same)}?"
    beside_it = {Path(short).name: short for short in reversed(known) if Path(short).parent.name == folder}
    anywhere = {Path(short).name: short for short in reversed(known)}
    hint = did_you_mean(stem, beside_it, show=lambda found: f"{beside_it[found]}.yaml")
    example = "tables/marrakchi_table1.yaml" if kind == "tables" else "demo.yaml"
    return (
        hint
        or did_you_mean(stem, anywhere, show=lambda found: f"{anywhere[found]}.yaml")
        or f"give the path of a file such as experiments/{example}."
    )


@cache
def _say(name: str, file: str) -> None:
    """Prints, once and not among results, which file is used."""
    if all(os.environ.get(rank, "0") == "0" for rank in RANKS):
        print(f"{name}: {file}", file=sys.stderr)
