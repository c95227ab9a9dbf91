"""What YAML files say of themselves."""

from pathlib import Path


def comment(file: Path) -> str:
    """The comment that a file begins with, as one paragraph, without the commands in it; empty without one."""
    lines = []
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        if not line.startswith("# lightning_imbal "):
            lines.append(line.removeprefix("#").strip())
    return " ".join(lines)


def display_name(file: Path) -> str:
    """What a file calls itself: the first words of its comment, up to a colon, or else its name."""
    name, colon, _ = comment(file).partition(": ")
    return name if colon else file.stem
