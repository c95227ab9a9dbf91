"""How the `then` of several configurations, laid over each other, becomes one second stage."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

import yaml

from lightning_imbal.command_line import given, given_below, parse_options
from lightning_imbal.errors import UserError
from lightning_imbal.experiment_files import find, parse_yaml, read_yaml

Then = dict[str, Any] | None
COMMAND_LINE = "command line"


@dataclass(frozen=True)
class Layer:
    """A `then` as it is laid over others.

    Args:
        source: The file that holds it, or the command line.
        then: What it says; None for no second stage.
        whole: Whether it replaces all below it; else it lies over that.
    """

    source: str
    then: Then
    whole: bool


def is_stage(then: Then) -> TypeGuard[dict[str, Any]]:
    """A `then` is a stage of its own only if it names a model."""
    return "class_path" in ((then or {}).get("model") or {})


def layers(arguments: Sequence[str]) -> list[Layer]:
    """Every `then` of a command line of `fit`, in the order in which they are laid over each other.

    First those that say whether there is a second stage, and which: one that names a model, and `then: null`. Then
    those that name no model, as of an overlay that shortens every stage: they adjust the second stage, whichever file
    names it, be it before or after them. Then what is typed on the command line. Within these the later lies above.

    Instead of a stage, `then` may be the path of a file that holds it, relative to the configuration that names it or,
    on the command line, to the working directory; else one of `experiments`, such as `heads/crw.yaml`.

    Args:
        arguments: Without the verb; the files of --config are paths.

    Raises:
        UserError: There is no such file, or it holds no stage.
    """
    named, adjusting, typed = list[Layer](), list[Layer](), list[Layer]()
    for file in (Path(value) for name, value in parse_options(arguments) if name == "config"):
        content = read_yaml(file) or {}
        if "then" in content:
            layer = _layer(content["then"], str(file), file.parent)
            (named if layer.whole else adjusting).append(layer)
    if (value := given("then", [*arguments])) is not None:
        layer = _layer(parse_yaml(value, "--then"), COMMAND_LINE, Path())
        named += [layer] if layer.whole else []
        if layer.source == COMMAND_LINE and layer.then is not None:
            typed.append(Layer(COMMAND_LINE, layer.then, whole=False))
    # Of several options in a branch, the parser keeps only the last.
    for key, value in given_below("then", arguments):
        then = _unfolded({_with_init_args(key): yaml.safe_load(value)})
        typed.append(Layer(COMMAND_LINE, _with_class(then), whole=False))
    return [*named, *adjusting, *typed]


def merged(laid: Sequence[Layer]) -> Then:
    """The second stage that the `then` of a command line mean together; None if there is none.

    Of several stages the last is taken whole. Adjustments without a second stage are not used.
    """
    then: Then = None
    for layer in laid:
        then = layer.then if layer.whole else _merge(then or {}, layer.then or {})
    return then if is_stage(then) else None


def _layer(then: Then | str, source: str, folder: Path) -> Layer:
    """Reads a `then`; of the path of a file, what that holds."""
    if not isinstance(then, str):
        then = _with_class(then)
        return Layer(source, then, whole=then is None or is_stage(then))
    file = folder / then
    if not file.is_file():
        file = Path(find(then))
    stage = read_yaml(file)
    stage = _with_class(stage) if isinstance(stage, dict) else None
    if not is_stage(stage):
        raise UserError(f"{file} is no second stage: it must name a model, such as model: {{class_path: FrozenHead}}.")
    return Layer(os.path.normpath(file), stage, whole=True)


def _with_class(then: Then) -> Then:
    """Writes a model that is given by its name alone as one that may have arguments."""
    model = (then or {}).get("model")
    return {**(then or {}), "model": {"class_path": model}} if isinstance(model, str) else then


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


def _merge(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    # A class by its name alone gets arguments as one that is written with them.
    objects = {key: {"class_path": below[key]} for key, value in above.items() if _is_called(below.get(key), value)}
    below = below | objects
    both = {
        key: _merge(below[key], value)
        for key, value in above.items()
        if isinstance(value, dict) and isinstance(below.get(key), dict) and not _other_class(below[key], value)
    }
    return below | above | both


def _is_called(below: Any, above: Any) -> bool:
    return isinstance(below, str) and isinstance(above, dict) and "init_args" in above and "class_path" not in above


def _other_class(below: dict[str, Any], above: dict[str, Any]) -> bool:
    """Whether another class is chosen, to which the arguments of the first one mean nothing."""
    return above.get("class_path", below.get("class_path")) != below.get("class_path")
