"""How things are written for people: numbers of things, scores, intervals, and text in Markdown."""

import json
import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from math import isfinite
from typing import Any

NOT_MEASURED = "n/a"


def number_of(number: int, noun: str, several: str | None = None) -> str:
    """A number and its noun, such as "1 run" and "2 runs", or "2 classes" if that is what several are called."""
    return f"{number} {noun if number == 1 else several or f'{noun}s'}"


def fold_text(fold: int, folds: int) -> str:
    """A fold, which is counted from 0, and of how many, such as "fold 1 of 3"."""
    return f"fold {fold + 1} of {folds}"


def last_word(class_path: str) -> str:
    """The class alone of a path with dots."""
    return class_path.rpartition(".")[2]


def value_text(value: Any) -> str:
    """A value of a configuration as it is read best: `null`, `0.1`, `ISIC2018`, `[StrongCrop(min_scale=0.8)]`."""
    if isinstance(value, dict) and "class_path" in value:
        arguments = {**(value.get("init_args") or {}), **(value.get("dict_kwargs") or {})}
        return object_text(str(value["class_path"]), {name: value_text(each) for name, each in arguments.items()})
    if isinstance(value, dict):
        return f"{{{', '.join(f'{name}: {value_text(each)}' for name, each in value.items())}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(value_text, value))}]"
    return value if isinstance(value, str) and value else json.dumps(value, default=str)


def object_text(class_path: str, arguments: dict[str, str]) -> str:
    """A class by its name, and arguments of it, such as `Focal(gamma=1.0)`."""
    name, inside = last_word(class_path), ", ".join(f"{name}={value}" for name, value in arguments.items())
    return f"{name}({inside})" if inside else name


def duration_text(seconds: float) -> str:
    """A time that is about right, such as "40 seconds", "12 minutes", "3.1 hours"."""
    for unit, length in {"days": 86400, "hours": 3600}.items():
        if seconds > 2 * length:
            return f"{seconds / length:,.1f} {unit}"
    return number_of(round(seconds / 60), "minute") if seconds > 100 else number_of(max(1, round(seconds)), "second")


def did_you_mean(name: str, known: Iterable[str], most: int = 1, show: Callable[[str], str] = str) -> str:
    """A question that names what was probably meant, such as "did you mean CE?"; empty if nothing is similar.

    Capitals do not count. Where nothing is like a whole path, what is like its last part is meant.

    Args:
        name: What was given.
        known: What there is.
        most: How many of them are named.
        show: How one of them is written.
    """
    plain = {each.casefold(): each for each in known}
    similar = get_close_matches(name.casefold(), plain, n=most)
    if not similar and (last := _last_part(name.casefold())) != name.casefold():
        of_last = {_last_part(each): each for each in reversed(plain)}
        similar = [of_last[match] for match in get_close_matches(last, of_last, n=most)]
    return f"did you mean {' or '.join(show(plain[match]) for match in similar)}?" if similar else ""


def _last_part(name: str) -> str:
    """What follows the last slash of a path, without the ending of a file, or the last dot of a name."""
    return re.split(r"[/.]", re.sub(r"\.(yaml|yml|csv|json|ckpt)$", "", name))[-1]


def score_text(value: float | None, decimals: int = 3) -> str:
    """A score with so many decimals, or "n/a" if it was not measured (None or NaN)."""
    return NOT_MEASURED if value is None or not isfinite(value) else f"{value:.{decimals}f}"


def signed_text(value: float, decimals: int) -> str:
    """A difference with its sign and so many decimals, or "n/a" if it was not measured (NaN)."""
    # The zero that is added takes the sign from a negative difference that rounds to nothing.
    return f"{round(value, decimals) + 0.0:+.{decimals}f}" if isfinite(value) else NOT_MEASURED


def interval_text(low: float, high: float, digits: int, pattern: str = "[{}, {}]") -> str:
    """The bounds of an interval, such as "[0.50, 0.80]"; empty if they are not known (NaN)."""
    return pattern.format(f"{low:.{digits}f}", f"{high:.{digits}f}") if isfinite(low) and isfinite(high) else ""


def calibrated_text(error: float, digits: int) -> str:
    """What the calibration error of a calibrated network would not exceed; empty if it is not known (NaN)."""
    return f"calibrated: {error:.{digits}f}" if isfinite(error) else ""


def escape_markdown(text: str) -> str:
    """Text whose characters mean nothing to Markdown."""
    return re.sub(r"([\\`*_<|\[\]&~$])", r"\\\1", text)


def first_line(error: BaseException) -> str:
    """What an error says, cut to a line; its name if it says nothing."""
    said = str(error).strip()
    return said.splitlines()[0] if said else type(error).__name__
