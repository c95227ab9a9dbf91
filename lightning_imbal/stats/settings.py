"""What finished runs were asked for."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from lightning_imbal.command_line import OF_THE_MACHINE
from lightning_imbal.runs.digests import check_digest
from lightning_imbal.runs.folder import read_record, record_of
from lightning_imbal.runs.run import Run

# Which repetition it is, and where it is kept: two runs with the same settings may differ in these.
LEFT_OUT = (
    *OF_THE_MACHINE,
    *("run_dir.", "seed_everything.", "ckpt_path.", "config.", "trainer.default_root_dir."),
    *("data.split.fold.", "data.split.seed."),
)
OF_THE_DATA = ("class_counts", "class_names")
LATER_STAGES = re.compile(r"^(then\.)+")
EXPONENT = re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+")


_FAST_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_FAST_LOADER):
    """Reads a value with an unknown tag as if it had none, and a date as text."""


def _plain(loader: yaml.Loader, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    return loader.construct_sequence(node, deep=True) if isinstance(node, yaml.SequenceNode) else node.value


_Loader.add_constructor(None, _plain)


_Loader.add_constructor("tag:yaml.org,2002:timestamp", _plain)


def configurations(run: Run) -> dict[str, str]:
    """The text of each stage's `config.yaml`, by the name of the stage."""
    stages = [stage for stage in run.stages if stage.config_file.is_file()]
    return {stage.name: stage.config_text() for stage in stages}


def settings(run: Run) -> dict[str, Any]:
    """What a run was asked for, without seed, fold, and where and how fast it was made.

    Args:
        run: Also one inside another, such as RUN/test/plain.

    Returns:
        Values by their dotted names (`init_args` left out), lists as tuples. Of a further test that a table made, its
        own options win over those of the run, and `configs` are the names of its configurations; `report` is the name
        of a folder with further results, such as `plain`.
    """
    stages, found = run.stages, {}
    if stages and stages[0].config_file.is_file():
        found = dict(_flat(stages[0].config(_Loader)))
    found |= _of_test(run.folder.absolute(), stages[0].folder.parent if stages else None)
    return {key: value for key, value in found.items() if _decides(key)}


def _of_test(folder: Path, run: Path | None) -> dict[str, Any]:
    """What a folder inside a run was asked for beside the run; its own `config.yaml` says all that the run was."""
    inside = [folder, *folder.parents][: len(folder.relative_to(run).parts)] if run else [folder]
    recorded = next((place for place in inside if record_of(place).is_file()), None)
    found: dict[str, Any] = {}
    if recorded and (record := read_record(recorded)):
        check_digest(record_of(recorded), recorded)
        identity = record["identity"]
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
