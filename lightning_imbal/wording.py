"""How things are written for people: numbers of things, and text in Markdown."""

import re


def number_of(number: int, noun: str) -> str:
    """A number and its noun, such as "1 run" and "2 runs"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def escape_markdown(text: str) -> str:
    """Text whose characters mean nothing to Markdown."""
    return re.sub(r"([\\`*_<|\[\]&~$])", r"\\\1", text)
