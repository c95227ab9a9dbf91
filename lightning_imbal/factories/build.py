"""Calls what a configuration names with what the program knows: by the names of parameters, not by position."""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

Built = TypeVar("Built")

# Parameters that the program fills in: nobody gives them, and no class without them gets them.
GIVEN = frozenset(
    {"params", "optimizer", "class_counts", "labels", "data_source", "in_features", "out_features", "num_classes"}
    | {"dim", "size", "groups"}
)
# Lengths of a schedule, which it fills in where the user has left them open.
LENGTHS = ("max_epochs", "T_max", "total_iters", "total_steps")


def target_of(factory: Callable[..., Any]) -> Callable[..., Any]:
    """The class, or the function, that a factory calls in the end."""
    while isinstance(factory, partial):
        if classes := list(filter(inspect.isclass, factory.args)):  # as jsonargparse hands one to what instantiates it
            return classes[0]
        factory = factory.func
    return factory


def open_parameters(factory: Callable[..., Any]) -> set[str]:
    """Names of the parameters of a class that a factory leaves open; none of a function."""
    target = target_of(factory)
    if not isinstance(target, type):
        return set()
    given = getattr(factory, "keywords", {})
    return {name for name in _parameters(target) if given.get(name) is None}


def build(factory: Callable[..., Built], **offered: Any) -> Built:
    """Calls a factory with what it has a use for.

    Args:
        factory: A class, or one with some arguments given, gets what is offered by the names of its parameters. A
            function gets it in this order, as many values as it cannot do without.
        offered: What the program knows.

    Example:
        >>> from fractions import Fraction
        >>> build(partial(Fraction, denominator=4), numerator=3, labels=1)
        Fraction(3, 4)
        >>> build(lambda counts: [counts], class_counts=3, labels=1)
        [3]
    """
    if inspect.isclass(target_of(factory)):
        names = open_parameters(factory)
        return factory(**{name: value for name, value in offered.items() if name in names})
    needed = [
        parameter
        for parameter in inspect.signature(factory).parameters.values()
        if parameter.default is parameter.empty and parameter.kind <= parameter.POSITIONAL_OR_KEYWORD
    ]
    return factory(*list(offered.values())[: len(needed)])


def _parameters(cls: type) -> list[str]:
    """Names of the parameters of a constructor, also of those to which it hands on its `**kwargs`."""
    if "__init__" not in {name for parent in cls.__mro__[:-1] for name in vars(parent)}:
        return list(inspect.signature(cls).parameters)
    names: list[str] = []
    for parent in cls.__mro__[:-1]:
        if "__init__" not in vars(parent):
            continue
        parameters = inspect.signature(vars(parent)["__init__"]).parameters.values()
        names += [each.name for each in parameters if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)]
        if not any(each.kind == each.VAR_KEYWORD for each in parameters):
            break
    return names


def name_of(factory: Callable[..., Any]) -> str:
    """Name of the class or function that a factory calls, for messages."""
    return getattr(target_of(factory), "__name__", type(factory).__name__)
