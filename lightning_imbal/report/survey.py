"""What a look at the user's own images has found: a block in the terminal, and a configuration with its reasons."""

import json
from typing import Any

import yaml
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lightning_imbal.data.survey import Survey
from lightning_imbal.wording import number_of

CLASSES = 12  # that are named


def print_survey(survey: Survey) -> None:
    """Prints what was found, a line for each thing."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in _lines(survey):
        table.add_row(name, escape(text))
    Console().print(table)


def _lines(survey: Survey) -> list[tuple[str, str]]:
    look, classes = survey.look, survey.classes
    images = sum(classes.values())
    ratio = max(classes.values()) / min(classes.values())
    lines = [
        ("layout", f"{number_of(images, 'image')} below {look.settings['root']}: {look.layout}"),
        ("classes", f"{len(classes)}, largest : smallest = {ratio:.3g} : 1. {_sizes(classes)}"),
        ("pictures", _pictures(survey)),
    ]
    chosen = {name: reason for name, reason in look.reasons.items() if name in look.settings}
    lines += [(name, f"{_written(look.settings[name])}: {reason}") for name, reason in chosen.items()]
    lines.append(("split", _split(survey)))
    lines += [("said", sentence) for sentence in survey.told]
    lines += [("in doubt", f"{question.text} {' or '.join(question.options)}") for question in look.questions]
    return lines


def _split(survey: Survey) -> str:
    """How the images are divided."""
    look, data = survey.look, survey.data
    if reason := look.reasons.get("split"):
        return reason
    if column := look.settings.get("split_column"):
        return f"of the column {column!r}"
    together = "no group was found: image by image"
    if guess := next(iter(look.guesses), None):
        together = f"{guess.word}s kept together"
    elif data.group_name:
        together = f"{data.group_name}s kept together"
    return f"none is there, so a stratified one of 7:1:2, {together}"


def _sizes(classes: dict[str, int]) -> str:
    largest = sorted(classes.items(), key=lambda each: -each[1])
    if len(largest) > CLASSES:
        named = [*largest[: CLASSES - 3], ("...", 0), *largest[-2:]]
        return ", ".join(f"{name} {images}" if images else name for name, images in named)
    return ", ".join(f"{name} {images}" for name, images in largest)


def _pictures(survey: Survey) -> str:
    opened = sum(survey.modes.values())
    sizes = list(survey.sizes)
    shown = ", ".join(sizes[:3]) + (f" and {number_of(len(sizes) - 3, 'other size')}" if len(sizes) > 3 else "")
    modes = ", ".join(f"{mode} {number}" if len(survey.modes) > 1 else mode for mode, number in survey.modes.items())
    return f"{shown} pixels, {modes} ({number_of(opened, 'picture')} opened)"


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def configuration(survey: Survey, path: str) -> str:
    """An overlay for any verb, with a comment for every setting that was chosen.

    Args:
        survey: What was found.
        path: What was looked at.
    """
    look = survey.look
    lines = [
        f"# {path}: {sum(survey.classes.values())} images, {look.layout}.",
        *(f"# In doubt: {question.text} {' or '.join(question.options)}" for question in look.questions),
        "data:",
        f"  class_path: {look.data}",
        "  init_args:",
    ]
    for name, value in look.settings.items():
        if reason := look.reasons.get(name):
            lines.append(f"    # {reason}")
        lines += [f"    {line}" for line in yaml.safe_dump({name: value}, width=1000, sort_keys=False).splitlines()]
    return "\n".join(lines) + "\n"
