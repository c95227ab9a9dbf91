"""The last line of a verb: the command that comes next, ready to be pasted."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from lightning_imbal.command_line import parse_options


def next_command(*words: object) -> str:
    """A line that says what to do next.

    Args:
        words: Of the command, after `lightning_imbal`.
    """
    return f"Next: {shlex.join(['lightning_imbal', *map(str, words)])}"


def of_data(args: Sequence[str]) -> list[str]:
    """What a command line says of the data, for the verb that comes next: files that are laid, options of the data.

    Args:
        args: Of `prepare` or `audit`, after the verb; the first one may be a file or a class.
    """
    args = ["--config" if argument == "-c" else argument for argument in args]
    if args and not args[0].startswith("-"):
        args = ["--config" if Path(args[0]).suffix in (".yaml", ".yml") else "--data", *args]
    kept = [(name, value) for name, value in parse_options(args) if name.partition(".")[0] in ("config", "data")]
    return [part for name, value in kept for part in (f"--{name}", value)]
