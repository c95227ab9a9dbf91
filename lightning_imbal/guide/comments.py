"""What YAML files say of themselves."""

from pathlib import Path


def comment(file: Path) -> str:
    """The comment that a file begins with, as one paragraph; empty without one."""
    lines = []
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.removeprefix("#").strip())
    return " ".join(lines)
