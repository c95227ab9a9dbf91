"""Settings that are null though their class has no such value: an empty value in a YAML file."""

import inspect
from collections.abc import Iterator
from pydoc import locate
from types import NoneType
from typing import Any, get_args

from jsonargparse import Namespace

from lightning_imbal.errors import UserError

OBJECTS = ("model", "data")


def refuse_null(config: Namespace, apart: frozenset[str]) -> None:
    """Refuses a setting of model or data that is null and cannot be.

    Args:
        config: Of a verb.
        apart: Arguments of the model that are filled in later.

    Raises:
        UserError: The message names the setting, and the value that it has by default.
    """
    for part in OBJECTS:
        given = config.get(part)
        for name, parameter in _parameters(given.class_path) if given else ():
            if name not in given.init_args or given.init_args[name] is not None or _takes_null(parameter):
                continue
            if part == "data" or name not in apart:
                default = parameter.default
                mend = "give it a value" if default is parameter.empty else f"leave it out for its default, {default!r}"
                raise UserError(f"{part}.{name} is null (an empty value in a file is), which it cannot be: {mend}.")


def _parameters(class_path: str) -> Iterator[tuple[str, inspect.Parameter]]:
    """Arguments of a class and of those that it hands others on to, its own first."""
    seen: set[str] = set()
    found: Any = locate(class_path)  # as jsonargparse has found it
    for kind in found.__mro__:
        if "__init__" in vars(kind):
            own = inspect.signature(kind.__init__).parameters
            yield from ((name, each) for name, each in own.items() if name not in seen)
            seen |= own.keys()


def _takes_null(parameter: inspect.Parameter) -> bool:
    kind: Any = parameter.annotation
    unknown = kind in (parameter.empty, Any) or isinstance(kind, str)  # of `from __future__ import annotations`
    return unknown or parameter.default is None or NoneType in get_args(kind)
