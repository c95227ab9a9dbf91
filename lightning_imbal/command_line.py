"""Options on a command line: parsed, written, and the setting that wins."""

import json
import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from lightning_imbal.errors import UserError

# Such as `data.views=2`, or `data.split=Holdout(test=0.2)`, before the end of a sentence or of a part of it.
SETTING = re.compile(r"(?<![\w./-])((?:data|model|trainer)\.[\w.]+)=(?:(\w+)\(([^)]+)\)|(\S+?)(?=[,;:.)]*(?:\s|$)))")

# Where and how fast a run is made, but not what comes out of it.
OF_THE_MACHINE = (
    *("data.root.", "data.num_workers.", "data.cache.", "data.cache_dir."),
    *("trainer.accelerator.", "trainer.devices.", "trainer.num_nodes.", "trainer.strategy."),
    *("trainer.logger.", "trainer.enable_progress_bar.", "trainer.enable_model_summary.", "save_features."),
)


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
    for option, following in zip(args, [*args[1:], ""], strict=True):
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
    """The value of `keys` that wins on a command line: of its options and its --config files, the last; or None."""
    option = ".".join(key for key in keys if key != "init_args")
    values = [
        _of_file(value, keys) if name == "config" else value
        for name, value in parse_options(arguments)
        if name in ("config", option)
    ]
    return next((value for value in reversed(values) if value is not None), None)


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


def _of_file(file: str, keys: Iterable[str]) -> Any:
    content = _parsed(Path(file).read_text())
    for key in keys:
        content = content.get(key) if isinstance(content, dict) else None
    return content


@cache
def _parsed(text: str) -> Any:
    return yaml.safe_load(text)
