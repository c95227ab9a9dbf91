"""What is searched: the values that a setting may have, as they are written on the command line."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Literal

from lightning_imbal.errors import UserError

HOW = "write NAME=log:LOW:HIGH, NAME=LOW:HIGH, NAME=int:LOW:HIGH or NAME=choice:A,B,C"
HEADS = ("model", "data", "trainer")
# Which images are learned from and which are looked at is no question for the scores of these images.
OF_SPLIT = ("data.split", "data.root", "data.labels", "data.group_by", "data.lock_test", "data.on_bad_image")
OF_TRAINER = ("trainer.callbacks", "trainer.logger")
OUTSIDE = re.compile(r",(?![^\[{]*[\]}])")  # commas between choices, not those in a list
SIGNIFICANT = 4  # digits of a value that was drawn

Value = float | int | str


@dataclass(frozen=True)
class Range:
    """The values that a setting may have.

    Args:
        name: Of the setting, such as `model.optimizer.lr`.
        text: How they are written, such as `log:1e-4:1e-1`.
        kind: How they are spread.
        low: The smallest, of numbers.
        high: The largest.
        choices: All of them, where they are no numbers of a kind.
    """

    name: str
    text: str
    kind: Literal["log", "uniform", "int", "choice"]
    low: float = 0.0
    high: float = 0.0
    choices: tuple[str, ...] = ()

    @property
    def ends(self) -> list[Value]:
        """The values that are tried out before anything is trained: the first and the last, or all choices."""
        if self.kind == "choice":
            return [*self.choices]
        return [int(self.low), int(self.high)] if self.kind == "int" else [self.low, self.high]

    def rounded(self, value: Value) -> Value:
        """A value with few digits, within the range."""
        if self.kind in ("choice", "int") or not isinstance(value, float):
            return value
        return min(max(float(f"{value:.{SIGNIFICANT}g}"), self.low), self.high)


def parse_search(texts: Sequence[str]) -> list[Range]:
    """Reads what is searched, in an order in which the class of an object stands before its arguments.

    Args:
        texts: Such as `model.optimizer.lr=log:1e-4:1e-1`, `data.sampler.q=0:1`, `model.loss=choice:CrossEntropy,LDAM`.

    Raises:
        UserError: One of them is no range, or of a setting that is not for searching.
    """
    found: dict[str, Range] = {}
    for text in texts:
        name, equals, values = text.partition("=")
        name = name.removeprefix("--").replace(".init_args.", ".")
        if not equals or not name:
            raise UserError(f"--search {text}: there is no range, {HOW}.")
        if name in found:
            raise UserError(f"--search names {name} twice: give it one range.")
        _check_name(name)
        found[name] = _range(name, values)
    return sorted(found.values(), key=lambda each: each.name.count("."))


def shown(value: Value) -> str:
    """A value in a few letters."""
    return f"{value:.{SIGNIFICANT}g}" if isinstance(value, float) else str(value)


def _check_name(name: str) -> None:
    plain = name.removeprefix("then.")
    head, dot, _ = plain.partition(".")
    if head not in HEADS or (not dot and plain != "model"):
        raise UserError(
            f"--search {name}: only settings below model, data and trainer, and those of a second stage below then, "
            "are searched."
        )
    if f"{plain}.".startswith(tuple(f"{each}." for each in OF_SPLIT)):
        raise UserError(f"--search {name}: which images there are in which part is not searched, give it as an option.")
    if any(part.isdigit() for part in plain.split(".")):
        raise UserError(f"--search {name}: a part of a list is not searched, give whole lists, as choice:[A,B],[C,D].")
    if f"{plain}.".startswith(tuple(f"{each}." for each in OF_TRAINER)):
        raise UserError(f"--search {name}: lists of objects cannot be searched, lay a configuration that has them.")


def _range(name: str, text: str) -> Range:
    kind, _, rest = text.partition(":")
    if kind == "choice":
        choices = tuple(choice.strip() for choice in OUTSIDE.split(rest))
        if len(choices) < 2 or len(set(choices)) < len(choices) or not all(choices):
            raise UserError(f"--search {name}={text}: give two or more different choices, such as choice:1,2,5.")
        return Range(name, text, "choice", choices=choices)
    if kind in ("log", "int"):
        low, high = _numbers(name, text, rest)
    else:
        kind, (low, high) = "uniform", _numbers(name, text, text)
    if not low < high:
        raise UserError(f"--search {name}={text}: the second number must be larger than the first.")
    if kind == "log" and low <= 0:
        raise UserError(f"--search {name}={text}: a logarithmic range begins above 0.")
    if kind == "int" and (low % 1 or high % 1):
        raise UserError(f"--search {name}={text}: give two whole numbers, such as int:1:10.")
    return Range(name, text, kind, low, high)  # type: ignore[arg-type]  # one of the three


def _numbers(name: str, text: str, pair: str) -> tuple[float, float]:
    try:
        low, high = (float(number) for number in pair.split(":"))
    except ValueError as error:
        raise UserError(f"--search {name}={text} is no range: {HOW}.") from error
    if not (isfinite(low) and isfinite(high)):
        raise UserError(f"--search {name}={text}: give finite numbers.")
    return low, high
