"""How things are written for people: numbers of things, and text in Markdown."""

import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches


def number_of(number: int, noun: str) -> str:
    """A number and its noun, such as "1 run" and "2 runs"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def did_you_mean(name: str, known: Iterable[str], most: int = 1, show: Callable[[str], str] = str) -> str:
    """A question that names what was probably meant, such as "did you mean CE?"; empty if nothing is similar."""
    similar = [show(match) for match in get_close_matches(name, list(known), n=most)]
    return f"did you mean {' or '.join(similar)}?" if similar else ""


def escape_markdown(text: str) -> str:
    """Text whose characters mean nothing to Markdown."""
    return re.sub(r"([\\`*_<|\[\]&~$])", r"\\\1", text)
