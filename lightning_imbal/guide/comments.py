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
