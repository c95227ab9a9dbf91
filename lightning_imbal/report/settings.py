"""What finished runs were asked for, and the hyper-parameters that runs differ in."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lightning_imbal.command_line import OF_THE_MACHINE
from lightning_imbal.tables.predictions import stages_of
from lightning_imbal.tables.results import Results

# Which repetition it is, and where it is kept: two runs with the same settings may differ in these.
LEFT_OUT = (
    *OF_THE_MACHINE,
    *("run_dir.", "seed_everything.", "ckpt_path.", "config.", "trainer.default_root_dir."),
    *("data.split.fold.", "data.split.seed."),
)
CLASS = ".class_path"
SWEPT = {"f1": "Macro F1", "balanced_accuracy": "Balanced accuracy"}  # scores that are drawn over an option
WIDE = 20  # times: an option whose values span more has a logarithmic axis
OF_THE_DATA = ("class_counts", "class_names")
LATER_STAGES = re.compile(r"^(then\.)+")
EXPONENT = re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+")


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """Reads a value with an unknown tag as if it had none, and a date as text."""


def _plain(loader: yaml.Loader, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    return loader.construct_sequence(node, deep=True) if isinstance(node, yaml.SequenceNode) else node.value


_Loader.add_constructor(None, _plain)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _plain)


@dataclass(frozen=True)
class Sweep:
    """A hyper-parameter that rows differ in while everything else is equal.

    Args:
        option: Its name, such as `model.loss.gamma`.
        curves: For each choice of everything else, named after what it differs in (such as "Focal" or "q=0"; "" if
            there is only one), the values that were run and their rows, by rising value.
    """

    option: str
    curves: dict[str, list[tuple[float, str]]]


def configurations(folder: Path) -> dict[str, str]:
    """The text of each stage's `config.yaml`, by the name of the stage."""
    files = [stage / "config.yaml" for stage in stages_of(folder)]
    return {file.parent.name: file.read_text() for file in files if file.is_file()}


def settings(folder: Path) -> dict[str, Any]:
    """What a run was asked for, without seed, fold, and where and how fast it was made.

    Args:
        folder: Of a run, or inside a run, such as RUN/test/plain.

    Returns:
        Values by their dotted names (`init_args` left out), lists as tuples. Of a further test that a table made, its
        own options win over those of the run, and `configs` are the names of its configurations; `report` is the name
        of a folder with further results, such as `plain`.
    """
    stages = stages_of(folder)
    file = stages[0] / "config.yaml" if stages else None
    found = dict(_flat(yaml.load(file.read_text(), _Loader) or {})) if file and file.is_file() else {}
    found |= _of_test(folder.absolute(), stages[0].parent if stages else None)
    return {key: value for key, value in found.items() if _decides(key)}


def _of_test(folder: Path, run: Path | None) -> dict[str, Any]:
    """What a folder inside a run was asked for beside the run; its own `config.yaml` says all that the run was."""
    inside = [folder, *folder.parents][: len(folder.relative_to(run).parts)] if run else [folder]
    recorded = next((place for place in inside if (place / "command.json").is_file()), None)
    found: dict[str, Any] = {}
    if recorded:
        identity = json.loads((recorded / "command.json").read_text())["identity"]
        found = dict(_flat({name: _value(text) for name, text in identity["options"].items()}))
        found |= {"configs": tuple(identity["configs"])} if identity["configs"] else {}
    report = folder.relative_to(recorded or run or folder)
    return found | ({"report": report.as_posix()} if report.parts else {})


def _flat(values: dict[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        key = ".".join(filter(None, [above, "" if name == "init_args" else str(name)]))
        if isinstance(value, dict):
            yield from _flat(value, key)
        else:
            yield key, _hashable(value)


def _hashable(value: Any) -> Any:
    if isinstance(value, dict):
        return tuple((key, _hashable(inner)) for key, inner in value.items())
    if isinstance(value, list):
        return tuple(map(_hashable, value))
    # YAML takes 1e-05 for text.
    return float(value) if isinstance(value, str) and EXPONENT.fullmatch(value) else value


def _value(text: str) -> Any:
    try:
        return yaml.load(text, _Loader)
    except yaml.YAMLError:
        return text


def _decides(key: str) -> bool:
    key = LATER_STAGES.sub("", key)
    return not f"{key}.".startswith(LEFT_OUT) and key.rpartition(".")[2] not in OF_THE_DATA


def sweeps(results: Results) -> list[Sweep]:
    """The numeric options in which rows differ while all their other settings are equal.

    Rows are compared by the settings of their first run, in the column where most of them were run.
    """
    column = max(results.runs.values(), key=lambda rows: sum(map(bool, rows.values())), default={})
    asked = {row: settings(runs[0].cell.folder) for row, runs in column.items() if runs}
    options = dict.fromkeys(option for of_row in asked.values() for option in of_row)
    found = [Sweep(option, _curves(option, asked)) for option in options]
    return [sweep for sweep in found if sweep.curves]


def _curves(option: str, asked: dict[str, dict[str, Any]]) -> dict[str, list[tuple[float, str]]]:
    values = {row: of_row[option] for row, of_row in asked.items() if _is_number(of_row.get(option))}
    if len(set(values.values())) < 2:
        return {}
    alike: dict[frozenset, list[tuple[float, str]]] = {}
    for row, value in values.items():
        others = frozenset((key, other) for key, other in asked[row].items() if key != option)
        alike.setdefault(others, []).append((value, row))
    curves = {others: sorted(points) for others, points in alike.items() if len({value for value, _ in points}) > 1}
    names = _names([dict(others) for others in curves])
    if len(names) > 1 and len(set(names) - {""}) < len(names):
        names = [points[0][1] for points in curves.values()]  # in words, they are the same
    return dict(zip(names, curves.values(), strict=True))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _names(curves: Sequence[dict[str, Any]]) -> list[str]:
    """In what each curve differs from others that have the same option: classes first, by their own names."""
    known = {key for curve in curves for key in curve}
    # Where another curve has a class, none is a choice as well.
    nothing = [{key + CLASS: None for key in curve if curve[key] is None and key + CLASS in known} for curve in curves]
    curves = [curve | none for curve, none in zip(curves, nothing, strict=True)]
    differing = [key for key in known if len({curve[key] for curve in curves if key in curve}) > 1]
    differing.sort(key=lambda key: (not key.endswith(CLASS), key))
    return [", ".join(_text(key, curve[key]) for key in differing if key in curve) for curve in curves]


def _text(key: str, value: Any) -> str:
    if not key.endswith(CLASS):
        return f"{key.rpartition('.')[2]}={value}"
    return value.rpartition(".")[2] if value else f"no {key.removesuffix(CLASS).rpartition('.')[2]}"
