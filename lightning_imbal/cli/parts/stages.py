"""How the `then` of several configurations, laid over each other, becomes one second stage."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeGuard

import yaml
from jsonargparse import Namespace

from lightning_imbal.errors import UserError
from lightning_imbal.experiment_files import find, parse_yaml, read_yaml

Then = dict[str, Any] | None


def is_stage(then: Then) -> TypeGuard[dict[str, Any]]:
    """A `then` is a stage of its own only if it names a model."""
    return "class_path" in ((then or {}).get("model") or {})


def merged(config: Namespace, command_line: str | None, options: Sequence[tuple[str, str]] = ()) -> Then:
    """Lays the `then` of every --config file over the earlier ones, and that of the command line over all.

    One that names a model replaces what was there; one that does not (an overlay that shortens every stage) adjusts it,
    and is ignored where there is no second stage. Instead of a stage, `then` may be the path of a file that holds it,
    relative to the configuration that names it or, on the command line, to the working directory; else one of
    `experiments`, such as `heads/crw.yaml`.

    Args:
        config: The parsed configuration of `fit`; its own `then` is the last one given.
        command_line: What was given as `--then`.
        options: What was given below it, such as (`trainer.max_epochs`, `2`): of several in a branch, the parser
            keeps only the last.

    Raises:
        UserError: There is no such file, or it holds no stage.
    """
    then: Then = None
    for path in config.get("config") or []:
        content = parse_yaml(path.read_text(), str(path)) or {}
        if "then" in content:
            then = _lay_over(then, _read(content["then"], Path(path.absolute).parent))
    if command_line is not None:
        then = _lay_over(then, _read(parse_yaml(command_line, "--then"), Path()))
    for key, value in options:
        then = _merge(then or {}, _unfolded({_with_init_args(key): yaml.safe_load(value)}) or {})
    return then if is_stage(then) else None


def _read(then: Then | str, folder: Path) -> Then:
    """Replaces the path of a file by what it holds."""
    if not isinstance(then, str):
        return then
    file = folder / then
    if not file.is_file():
        file = Path(find(then))
    stage = read_yaml(file)
    if not isinstance(stage, dict) or not is_stage(stage):
        raise UserError(f"{file} is no second stage: it must name a model, such as model: {{class_path: FrozenHead}}.")
    return stage


def _with_init_args(key: str) -> str:
    """`model.init_args.head.init_args.tau` for `model.head.tau`, as it may be written on the command line."""
    first, *others = key.split(".")
    parts = [first]
    for part in others:
        if first in ("model", "data") and part not in ("init_args", "class_path") and parts[-1] != "init_args":
            parts.append("init_args")
        parts.append(part)
    return ".".join(parts)


def _unfolded(then: Then) -> Then:
    """Turns keys such as `init_args.batch_size`, as the command line leaves them, into nested dictionaries."""
    if not isinstance(then, dict):
        return then
    whole: dict[str, Any] = {}
    for key, value in then.items():
        first, _, rest = key.partition(".")
        whole = _merge(whole, {first: _unfolded({rest: value} if rest else value)})
    return whole


def _lay_over(below: Then, above: Then) -> Then:
    return above if above is None or is_stage(above) else _merge(below or {}, above)


def _merge(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    both = {
        key: _merge(below[key], value)
        for key, value in above.items()
        if isinstance(value, dict) and isinstance(below.get(key), dict) and not _other_class(below[key], value)
    }
    return below | above | both


def _other_class(below: dict[str, Any], above: dict[str, Any]) -> bool:
    """Whether another class is chosen, to which the arguments of the first one mean nothing."""
    return above.get("class_path", below.get("class_path")) != below.get("class_path")
