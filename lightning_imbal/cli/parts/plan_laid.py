"""Lays settings over each other as the parser does, and remembers where each is from and what was lost."""

import inspect
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import torch
import yaml
from lightning.pytorch import callbacks, loggers

from lightning_imbal.cli.parts.vocabulary import PUBLIC
from lightning_imbal.command_line import SLOTS, Setting
from lightning_imbal.factories.build import open_parameters
from lightning_imbal.report.plan import Lost
from lightning_imbal.wording import object_text, value_text

FURTHER = (torch.optim, torch.optim.lr_scheduler, torch.nn, callbacks, loggers)  # classes known without their module


@dataclass(frozen=True)
class Held:
    """A value that nothing has replaced yet.

    Args:
        value: As it is written.
        source: The files, or the command line.
    """

    value: Any
    source: str


class Laying:
    """Settings, laid one over the other.

    Args:
        keeps: Whether an argument stays that was given before a class was chosen: called with the name of the object,
            its new class and the argument.
    """

    def __init__(self, keeps: Callable[[str, Any, str], bool]) -> None:
        self.keeps = keeps
        self.held: dict[str, Held] = {}
        self.lost: dict[str, list[Lost]] = defaultdict(list)

    def lay(self, setting: Setting) -> None:
        """Lays a setting over what is there; a name that ends with `+` adds to a list."""
        if setting.name.endswith("+"):
            self._append(setting)
            return
        name, before = setting.name, self.held.get(setting.name)
        if before is None or not same(before.value, setting.value):
            gone = self._not_kept(setting)
            if before is not None:
                # The arguments that were given with a class are told with it.
                with_it = [each for each in gone if self.held[each].source == before.source and name not in SLOTS]
                self.lost[name].append(Lost(self._text(name, with_it), before.source))
                for each in with_it:
                    del self.held[each]
            new = short(setting.value)
            for top in gone:
                if top in self.held:
                    self.drop(top, f"{new} has no {top.rpartition('.')[2]}" if new else f"{name} is null")
        self.held[name] = Held(setting.value, setting.source)

    def drop(self, name: str, why: str) -> None:
        """Loses a setting and all below it."""
        below = self._below(name)
        self.lost[name].append(Lost(self._text(name, below), self.held[name].source, why))
        for each in (name, *below):
            del self.held[each]

    def begin_anew(self, why: str) -> None:
        """Loses all that is there."""
        for name, held in self.held.items():
            self.lost[name].append(Lost(value_text(short(held.value) or held.value), held.source, why))
        self.held = {}

    def _append(self, setting: Setting) -> None:
        """Adds to a list, or gives an argument to the last object in it."""
        name, added = setting.name.rstrip("+"), as_list(setting.value)
        before = self.held.get(name, Held(None, ""))
        values = as_list(before.value)
        if values and isinstance(setting.value, dict) and "class_path" not in setting.value:
            last = as_object(values.pop())
            added = [last | {"init_args": {**(last.get("init_args") or {}), **setting.value}}]
        sources = [*filter(None, before.source.split(", ")), setting.source]
        self.held[name] = Held([*values, *added], ", ".join(dict.fromkeys(sources)))

    def _below(self, name: str) -> list[str]:
        return [each for each in self.held if each.startswith(f"{name}.")]

    def _not_kept(self, setting: Setting) -> list[str]:
        """What lies below a setting and does not stay, what holds others before them."""
        below = sorted(self._below(setting.name))
        arguments = {each: each.removeprefix(f"{setting.name}.").partition(".")[0] for each in below}
        return [each for each in below if not self.keeps(setting.name, setting.value, arguments[each])]

    def _text(self, name: str, below: Iterable[str]) -> str:
        """A value, with arguments that lie below it."""
        below = list(below)
        first = [each for each in below if "." not in each.removeprefix(f"{name}.")]
        value = self.held[name].value
        if not first:
            return value_text(short(value) or value)
        inside = {
            each.removeprefix(f"{name}."): self._text(each, [other for other in below if other.startswith(f"{each}.")])
            for each in first
        }
        return object_text(str(value), inside)


def same(one: Any, other: Any) -> bool:
    """Whether two values mean the same, be they of a file or typed; classes by their names."""
    one, other = (yaml.safe_load(each) if isinstance(each, str) and _is_plain(each) else each for each in (one, other))
    return one == other or bool(short(one) and short(one) == short(other))


def _is_plain(text: str) -> bool:
    try:
        yaml.safe_load(text)
    except yaml.YAMLError:
        return False
    return True


def short(value: Any) -> str:
    """A class by its name alone; empty of a value that is none."""
    name = value.rpartition(".")[2] if isinstance(value, str) and "/" not in value else ""
    return name if name[:1].isupper() and name.isidentifier() else ""


def as_list(value: Any) -> list[Any]:
    """A value that may be none, one or several, as a list."""
    return [*value] if isinstance(value, list) else [] if value is None else [value]


def as_object(value: Any) -> dict[str, Any]:
    """A class by its name, or one with arguments, as a YAML file has it."""
    return value if isinstance(value, dict) else {"class_path": value}


def takes(class_name: Any, argument: str, known: str = "") -> bool:
    """Whether a class has an argument; of what cannot be found, yes.

    Args:
        class_name: As it is written, without its module if it is public.
        argument: Of its constructor.
        known: The path of the class where the parser has found it.
    """
    if not isinstance(class_name, str) or not class_name:
        return False
    path = known if known.rpartition(".")[2] == class_name.rpartition(".")[2] else class_name
    cls = _class_of(path)
    return cls is None or argument in open_parameters(cls)


def _class_of(path: str) -> type | None:
    module, _, name = path.rpartition(".")
    try:
        places = [import_module(module)] if module else [*PUBLIC, *FURTHER]
    except ImportError:
        return None
    found = (getattr(place, name, None) for place in places)
    return next((each for each in found if inspect.isclass(each)), None)
