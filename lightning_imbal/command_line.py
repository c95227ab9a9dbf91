"""Options on a command line: parsed, written, and the setting that wins."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lightning_imbal.errors import UserError
from lightning_imbal.experiment_files import parse_yaml, read_yaml

# Such as `data.views=2`, or `data.split=Holdout(test=0.2)`, before the end of a sentence or of a part of it.
# Not a range that is searched.
SETTING = re.compile(
    r"(?<![\w./-])(?<!--search )((?:data|model|trainer)\.[\w.]+)=(?:(\w+)\(([^)]+)\)|(\S+?)(?=[,;:.)]*(?:\s|$)))"
)

# Where and how fast a run is made, but not what comes out of it.
OF_THE_MACHINE = (
    *("data.root.", "data.num_workers.", "data.cache.", "data.cache_dir."),
    *("trainer.accelerator.", "trainer.devices.", "trainer.num_nodes.", "trainer.strategy."),
    *("trainer.logger.", "trainer.enable_progress_bar.", "trainer.enable_model_summary.", "save_features."),
)


SLOTS = ("model", "data", "trainer")  # of a configuration, each of which may be a file of its own


@dataclass(frozen=True)
class Setting:
    """What one place says of a setting.

    Args:
        name: With dots, as it is typed.
        value: As it is written there.
        source: The file; empty for an option of the command line.
        is_extra: Whether it is below `dict_kwargs`, for an argument that no signature names.
    """

    name: str
    value: Any
    source: str = ""
    is_extra: bool = False


def given(option: str, args: list[str]) -> str | None:
    """The last value of `--option value` or `--option=value` on a command line."""
    values = all_given(option, args)
    return values[-1] if values else None


def all_given(option: str, args: list[str]) -> list[str]:
    """Every value of `--option value` or `--option=value` on a command line."""
    values = [b for a, b in zip(args, args[1:], strict=False) if a == f"--{option}"]
    return values + [a.split("=", 1)[1] for a in args if a.startswith(f"--{option}=")]


def given_below(name: str, args: Sequence[str]) -> list[tuple[str, str]]:
    """The options below a name and their values, such as (`trainer.max_epochs`, `2`) below `then`, in their order."""
    start, found = f"--{name}.", []
    for option, following in zip(args, [*args[1:], ""], strict=False):
        if option.startswith(start):
            key, equals, value = option.removeprefix(start).partition("=")
            found.append((key, value if equals else following))
    return found


def as_options(sentence: str) -> str:
    """The settings that a sentence names, such as `data.views=2`, as they are written on a command line."""

    def options(match: re.Match[str]) -> str:
        name, owner, arguments, value = match.groups()
        if value is not None:
            return f"--{name} {value}"
        pairs = (argument.strip().split("=") for argument in arguments.split(","))
        return f"--{name} {owner} " + " ".join(f"--{name}.{key} {value}" for key, value in pairs)

    return SETTING.sub(options, sentence)


def last_setting(arguments: Iterable[str], *keys: str) -> Any:
    """The value of `keys` that wins on a command line: of its options and its --config files, the last; or None.

    Args:
        arguments: Without the verb; the files of --config are paths.
        keys: Such as `data`, `root`; `init_args` and `class_path` may stand among them.
    """
    wanted = short_name(".".join(keys))
    values = [setting.value for setting in settings_on(arguments) if setting.name == wanted]
    return next((value for value in reversed(values) if value is not None), None)


def short_name(name: str) -> str:
    """A setting as it is typed: `model.loss.gamma`, and `model.loss` for the class of the loss."""
    parts = name.split(".")
    return ".".join(part for part in parts if part not in ("init_args", "class_path", "dict_kwargs"))


def settings_on(arguments: Iterable[str], is_object: Callable[[str], bool] = lambda name: True) -> Iterator[Setting]:
    """What the options and the --config files of a command line set, in their order.

    The class of an object is the value of the name of the object, and the names of its arguments lie below.

    Args:
        arguments: Without the verb; the files of --config are paths.
        is_object: Whether a mapping by this name is an object without its class, or a group such as `trainer`; else it
            is a value, such as names of groups and their classes.

    Raises:
        UserError: A file is no YAML.
    """
    for name, value in parse_options(arguments):
        if name == "config":
            yield from _of_file(Path(value), is_object)
        else:
            yield from _of_slot(name, value, "", Path(), is_object)


def settings_in(
    content: Any, source: str, is_object: Callable[[str], bool], name: str = "", is_extra: bool = False
) -> Iterator[Setting]:
    """What a mapping sets, as a YAML file holds it; see `settings_on`.

    Args:
        content: The mapping, or a value.
        source: Where it is from.
        is_object: As of `settings_on`.
        name: Of the mapping; empty for a whole file.
        is_extra: As of `Setting`.
    """
    known = isinstance(content, dict) and bool({"class_path", "init_args"} & content.keys())
    if not isinstance(content, dict) or not (known or not name or is_object(name)):
        yield Setting(name, content, source, is_extra)
        return
    if "class_path" in content:
        yield Setting(name, content["class_path"], source, is_extra)
    for key, value in content.items():
        if key in ("init_args", "dict_kwargs"):
            for below, argument in value.items() if isinstance(value, dict) else ():
                extra = is_extra or key == "dict_kwargs"
                yield from settings_in(argument, source, is_object, f"{name}.{below}", extra)
        elif key != "class_path":
            yield from settings_in(value, source, is_object, short_name(f"{name}.{key}".lstrip(".")), is_extra)


def parse_options(arguments: Iterable[str]) -> list[tuple[str, str]]:
    """Names (`init_args` left out) and values of `--name value` and `--name=value`, in their order.

    Raises:
        UserError: A value has no name before it.
    """
    found: list[tuple[str, str]] = []
    waiting = False
    for argument in arguments:
        if argument.startswith("--"):
            name, _, value = argument[2:].partition("=")
            found.append((name.replace(".init_args.", "."), value))
            waiting = "=" not in argument
        elif waiting:
            found[-1] = (found[-1][0], argument)
            waiting = False
        else:
            raise UserError(f"{argument!r} has no option before it: write --name value.")
    return found


def to_options(settings: dict[str, Any]) -> list[str]:
    """Command line options of a mapping from their names to their values."""
    pairs = [(f"--{name}", value if isinstance(value, str) else json.dumps(value)) for name, value in settings.items()]
    return [part for pair in pairs for part in pair]


def _of_file(file: Path, is_object: Callable[[str], bool]) -> Iterator[Setting]:
    content = read_yaml(file)
    for name, value in content.items() if isinstance(content, dict) else ():
        yield from _of_slot(str(name), value, str(file), file.parent, is_object)


def _of_slot(option: str, value: Any, source: str, folder: Path, is_object: Callable[[str], bool]) -> Iterator[Setting]:
    """Of a value, a mapping, a text that holds one, or the file of a slot that does."""
    name = short_name(option) or option
    if name in SLOTS and isinstance(value, str) and (folder / value).is_file():
        source = str(folder / value)
        value = read_yaml(source)
    elif isinstance(value, str) and value.startswith(("{", "[")):
        with suppress(UserError):  # which is told where the options are parsed
            value = parse_yaml(value, f"--{option}")
    yield from settings_in(value, source, is_object, name, "dict_kwargs" in option.split("."))
