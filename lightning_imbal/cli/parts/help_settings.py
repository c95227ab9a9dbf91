"""What a command line and its files set, as far as names go: one that nothing knows is refused."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from lightning_imbal.cli.parts.help_options import HEADS, below, run_options
from lightning_imbal.cli.parts.help_unknown import unknown
from lightning_imbal.command_line import parse_options
from lightning_imbal.errors import UserError
from lightning_imbal.experiment_files import find, parse_yaml, read_yaml

OF_CLASS = {"class_path", "init_args", "dict_kwargs", "help"}  # below the option of a class, beside its arguments


class Setting(NamedTuple):
    """A name, such as `model.loss`, and what it is set to; `place` is the file, empty on the command line."""

    name: str
    value: Any
    place: str = ""


def settings_on(arguments: Sequence[str]) -> list[Setting]:
    """What a command line sets, that of its --config files and of its second stage included.

    Raises:
        UserError: A file of them is not there, or no YAML.
    """
    found: list[Setting] = []
    for name, value in parse_options(arguments):
        if name == "config":
            found += settings_in(read_yaml(value), value)
        elif name in ("then", *HEADS) and value[:1] == "{":
            found += settings_in({name: parse_yaml(value, f"--{name}")}, "")
        elif name == "then":
            found += settings_in({name: value}, "")
        else:
            found.append(Setting(name.rstrip("+"), value))
    return found


def settings_in(content: Any, place: str) -> list[Setting]:
    """What a configuration sets, down to the arguments of its data, model and Trainer.

    Args:
        content: That of its file.
        place: The file, empty on the command line.
    """
    if not isinstance(content, dict):
        return []
    then = content.get("then")
    if isinstance(then, str) and then != "null":
        file = Path(place).parent / then
        then = read_yaml(file if file.is_file() else find(then))
    stages = {"": content} | ({"then.": then} if isinstance(then, dict) else {})
    return [
        Setting(f"{prefix}{name}", value, place)
        for prefix, stage in stages.items()
        for key, part in stage.items()
        for name, value in _unfolded(str(key).rstrip("+"), part)
    ]


def _unfolded(name: str, value: Any) -> Iterable[tuple[str, Any]]:
    if name not in HEADS or not isinstance(value, dict):
        return [(name, value)]
    parts = {key: part for key, part in value.items() if key != "init_args"}
    if isinstance(arguments := value.get("init_args"), dict):
        parts |= arguments
    return [(f"{name}.{str(key).rstrip('+')}", part) for key, part in parts.items()]


def refuse_unknown(settings: Sequence[Setting], verb: str = "", own: Iterable[str] = ()) -> None:
    """Refuses a name that neither the parser nor any class that may be meant knows.

    Args:
        settings: What is set.
        verb: Whose options there are on the command line; empty for any.
        own: Further names, of the verb.

    Raises:
        UserError: The message says what was probably meant.
    """
    own = [*own]
    known = {"": run_options(verb) | {*own}}
    classes = {head: _classes(head, settings) for head in HEADS}
    for name, _, place in settings:
        head, dot, rest = name.removeprefix("then.").partition(".")
        argument = rest.partition(".")[0]
        if head not in HEADS or not dot:
            wrong = head not in known.get(place, run_options())
        elif (chosen := classes[head]) is None or argument in OF_CLASS:
            wrong = False
        else:
            wrong = (of_head := below(head, *chosen)) is not None and argument not in of_head
        if wrong:
            raise UserError(f"{place}: {unknown(name, dashes='')}" if place else unknown(name, own))


def _classes(head: str, settings: Sequence[Setting]) -> list[str] | None:
    """What is chosen below `model` or `data`; None if a file of its own says it."""
    places = {f"{then}{head}{end}" for then in ("", "then.") for end in ("", ".class_path")}
    named = [value for name, value, _ in settings if name in places and isinstance(value, str)]
    return None if any(Path(name).suffix in (".yaml", ".yml") for name in named) else named
