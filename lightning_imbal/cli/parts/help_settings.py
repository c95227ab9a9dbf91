"""What a command line and its files set, as far as names go: one that nothing knows is refused."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from lightning_imbal import command_line
from lightning_imbal.cli.parts.help_options import below, run_options
from lightning_imbal.cli.parts.help_unknown import unknown
from lightning_imbal.command_line import SLOTS, Setting, parse_options, settings_in
from lightning_imbal.errors import UserError
from lightning_imbal.experiment_files import find, parse_yaml, read_yaml


def settings_on(arguments: Sequence[str]) -> list[Setting]:
    """What a command line sets, that of its --config files and of its second stage included.

    Raises:
        UserError: A file of them is not there, or no YAML.
    """
    for name, value in parse_options(arguments):
        if name in ("then", *SLOTS) and value[:1] == "{":
            parse_yaml(value, f"--{name}")  # says what is wrong in it
    found = command_line.settings_on(arguments, _is_group)
    return [replace(each, name=each.name.replace("+", "")) for setting in found for each in _with_stage(setting)]


def _with_stage(setting: Setting) -> Iterator[Setting]:
    """A setting, and what the file sets that it may name as the second stage."""
    yield setting
    if setting.name == "then" and isinstance(setting.value, str) and setting.value != "null":
        file = Path(setting.source).parent / setting.value
        content = read_yaml(file if file.is_file() else find(setting.value))
        if isinstance(content, dict):
            yield from settings_in(content, setting.source, _is_group, "then")


def _is_group(name: str) -> bool:
    """Whether there are options below a name, be it of a second stage."""
    return name == "then" or name.removeprefix("then.") in SLOTS


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
    classes = {head: _classes(head, settings) for head in SLOTS}
    for setting in settings:
        name, place = setting.name, setting.source
        head, dot, rest = name.removeprefix("then.").partition(".")
        argument = rest.partition(".")[0]
        if head not in SLOTS or not dot:
            wrong = head not in known.get(place, run_options())
        elif (chosen := classes[head]) is None or argument == "help" or setting.is_extra:
            wrong = False
        else:
            wrong = (of_head := below(head, *chosen)) is not None and argument not in of_head
        if wrong and place:
            key = name if head in SLOTS else name.removesuffix(f".{rest}")
            raise UserError(f"{place}: {unknown(key, dashes='')}")
        if wrong:
            raise UserError(unknown(name, own))


def _classes(head: str, settings: Sequence[Setting]) -> list[str] | None:
    """What is chosen below `model` or `data`; None if a file of its own says it."""
    named = [each.value for each in settings if each.name in (head, f"then.{head}") and isinstance(each.value, str)]
    return None if any(Path(name).suffix in (".yaml", ".yml") for name in named) else named
