"""What `--model.help ECL` and its like print: the arguments of a class, or the classes that there are."""

import re
from collections.abc import Sequence
from textwrap import shorten, wrap

from lightning_imbal.cli.parts.help_kinds import (
    KINDS,
    SHARED,
    Kind,
    classes_of,
    find_class,
    is_of,
    kind_at,
    kind_of,
    settable,
)
from lightning_imbal.errors import UserError
from lightning_imbal.factories.build import LENGTHS
from lightning_imbal.guide.source import Parameter, Source
from lightning_imbal.wording import did_you_mean

WIDTH, LEFT = 100, 34
LITERAL = re.compile(r"Literal\[([^\]]+)\]")


def asked(arguments: Sequence[str]) -> tuple[str, str] | None:
    """The option that a command line asks the help of, such as `model.loss`, and the class that it names, if any."""
    for argument, following in zip(arguments, [*arguments, ""][1:], strict=True):
        option, equals, name = argument.partition("=")
        if option.startswith("--") and option.endswith(".help"):
            return option[2:].removesuffix(".help"), name if equals else "" if following[:2] == "--" else following
    return None


def help_of(option: str, name: str) -> str | None:
    """The text about what can be set at an option; None if only the parser knows.

    Args:
        option: Such as `model`, or `model.loss`.
        name: The class that is asked for, empty for a list of all.

    Raises:
        UserError: There is no such class.
    """
    kind = kind_at(option)
    if kind is None:
        return None
    if not name:
        return _list(option, kind)
    if source := find_class(name, kind):
        return _page(option, kind, source, name)
    if (other := find_class(name)) and (owner := kind_of(other)) and not is_of(other, kind):
        said = f"{other.name} is {owner.noun}, not {kind.noun}: it is chosen by --{owner.option} {other.name}."
        return f"{said}\n\n{_page(owner.option, owner, other, name)}"
    if "." in name:
        return None
    hint = did_you_mean(name, classes_of(kind))
    hint = hint or did_you_mean(name, [each for of in KINDS.values() for each in classes_of(of)])
    raise UserError(f"There is no class {name!r} for {option}: {hint or f'`--{option}.help` lists what there is.'}")


def in_columns(left: str, right: str, width: int = LEFT) -> list[str]:
    """Two columns, the right one wrapped; what is too long for the left one has a line of its own."""
    if not right:
        return [left]
    lines = wrap(right, WIDTH - width - 2)
    places = [left] if len(left) <= width else [left, ""]
    texts = lines if len(left) <= width else ["", *lines]
    places += [""] * (len(texts) - len(places))
    return [f"{place:{width}}  {text}".rstrip() for place, text in zip(places, texts, strict=True)]


def _page(option: str, kind: Kind, source: Source, name: str) -> str:
    """The arguments of a class with their defaults, those that others of its kind have too last."""
    parameters = settable(source, kind)
    shared = [each for each in parameters if each.owner in SHARED and each.owner != source.name]
    parts = {"": [each for each in parameters if each not in shared], f"every {kind.noun.partition(' ')[2]}": shared}
    lines = [shorten(f"--{option} {name}{': ' if source.about else ''}{source.about}", 2 * WIDTH)]
    for title, of_part in parts.items():
        lines += [""] if of_part else []
        lines += [f"{title}:"] if title and of_part else []
        lines += [line for each in of_part for line in _argument(option, each)]
    last = "Defaults are those of the class; a configuration may set others." if parameters else "It takes nothing."
    return "\n".join([*wrap(lines[0], WIDTH), *lines[1:], "", last])


def _argument(option: str, parameter: Parameter) -> list[str]:
    needed = "(that of the run)" if parameter.name in LENGTHS else "(needed)"
    left = f"  --{option}.{parameter.name} {needed if parameter.default is None else parameter.default}"
    first = re.split(r"(?<=[.!?])\s+(?=[A-Z`])", parameter.about, maxsplit=1)[0]
    return in_columns(left, f"{first} {_choices(option, parameter)}".strip())


def _choices(option: str, parameter: Parameter) -> str:
    """What else can be chosen, where that is a class or one of some words."""
    kind = kind_at(parameter.name)
    if kind is KINDS["optimizer"]:
        return f"Any of torch.optim (--{option}.{parameter.name}.help lists them)."
    if kind is not None:
        ours = [name for name, each in classes_of(kind).items() if each.module.startswith("lightning_imbal.")]
        return f"One of {', '.join([*ours, *filter(None, [kind.others])])}."
    words = [word.strip("'\" ") for of in LITERAL.findall(parameter.type) for word in of.split(",")]
    return f"One of {', '.join(words)}." if len(words) > 1 else ""


def _list(option: str, kind: Kind) -> str:
    """The classes of a kind, a line each."""
    found = classes_of(kind)
    width = max(map(len, found)) + 2
    lines = [f"--{option} takes {kind.noun}:"]
    for name, source in found.items():
        lines.append(f"  {name:{width}}{shorten(source.about, WIDTH - width - 2, placeholder=' ...')}".rstrip())
    lines += [f"  or {kind.others}"] if kind.others else []
    own = f"One of your own, in my_file.py: --{option} my_file.MyClass."
    return "\n".join([*lines, "", f"The arguments of one: --{option}.help {next(iter(found))}.", own])
