"""How numbers of things are written."""


def number_of(number: int, noun: str) -> str:
    """A number and its noun, such as "1 run" and "2 runs"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
