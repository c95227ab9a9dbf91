"""What a look at the user's own images has found: a block in the terminal, and a configuration with its reasons."""

import json
from collections.abc import Mapping
from typing import Any

import yaml
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lightning_imbal.wording import number_of

CLASSES = 12  # that are named


def print_survey(found: Mapping[str, Any]) -> None:
    """Prints what was found, a line for each thing.

    Args:
        found: Layout, classes, settings with their reasons, sizes and modes, split, what was told, and questions.
    """
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in _lines(found):
        table.add_row(name, escape(text))
    Console().print(table)


def _lines(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    classes, settings = found["classes"], found["settings"]
    images, ratio = sum(classes.values()), max(classes.values()) / min(classes.values())
    return [
        ("layout", f"{number_of(images, 'image')} below {settings['root']}: {found['layout']}"),
        ("classes", f"{len(classes)}, largest : smallest = {ratio:.3g} : 1. {_sizes(classes)}"),
        ("pictures", _pictures(found["sizes"], found["modes"])),
        *((name, f"{_written(settings[name])}: {reason}") for name, reason in found["reasons"].items()),
        *([] if "split" in found["reasons"] else [("split", found["split"])]),
        *(("said", sentence) for sentence in found["told"]),
        *(("in doubt", _asked(question)) for question in found["questions"]),
    ]


def _asked(question: Mapping[str, Any]) -> str:
    return f"{question['text']} {' or '.join(question['options'])}"


def _sizes(classes: Mapping[str, int]) -> str:
    largest = [f"{name} {images}" for name, images in sorted(classes.items(), key=lambda each: -each[1])]
    shown = largest if len(largest) <= CLASSES else [*largest[: CLASSES - 3], "...", *largest[-2:]]
    return ", ".join(shown)


def _pictures(sizes: Mapping[str, int], modes: Mapping[str, int]) -> str:
    shown, more = ", ".join(list(sizes)[:3]), len(sizes) - 3
    shown += f" and {number_of(more, 'other size')}" if more > 0 else ""
    named = ", ".join(f"{mode} {number}" if len(modes) > 1 else mode for mode, number in modes.items())
    return f"{shown} pixels, {named} ({number_of(sum(modes.values()), 'picture')} opened)"


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def configuration(found: Mapping[str, Any], path: str) -> str:
    """An overlay for any verb, with a comment for every setting that was chosen.

    Args:
        found: As for `print_survey`, and `data`, the name of the data module.
        path: What was looked at.
    """
    lines = [
        f"# {path}: {number_of(sum(found['classes'].values()), 'image')}, {found['layout']}.",
        *(f"# In doubt: {_asked(question)}" for question in found["questions"]),
        "data:",
        f"  class_path: {found['data']}",
        "  init_args:",
    ]
    for name, value in found["settings"].items():
        if reason := found["reasons"].get(name):
            lines.append(f"    # {reason}")
        lines += [f"    {line}" for line in yaml.safe_dump({name: value}, width=1000, sort_keys=False).splitlines()]
    return "\n".join(lines) + "\n"
