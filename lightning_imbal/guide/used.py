"""Where a file or a class is used: rows of tables, methods, protocols."""

import re
from pathlib import Path

from lightning_imbal.experiment_files import OVERLAYS, files_of, read_yaml


def rows_with(file: str) -> list[str]:
    """The tables whose rows, or columns, have a file such as `methods/ecl.yaml`, and those rows."""
    told = []
    for name, table in files_of("tables").items():
        if file not in table.read_text(encoding="utf-8"):
            continue
        rows = [row for row, content in read_yaml(table)["rows"].items() if _has(content.get("configs", []), file)]
        told.append(f"{name}: {', '.join(rows)}" if 0 < len(rows) < 4 else name)
    return told


def files_with(name: str) -> list[str]:
    """The files of methods, heads and protocols that name a class, as `--config` takes them."""
    pattern = re.compile(rf"(?:class_path|sampler|loss|decision): ?(?:[\w.]+\.)?{re.escape(name)}\b")
    kinds = {".": "", **{kind: f"{kind}/" for kind in (*OVERLAYS, "tables")}}
    return [
        f"{below}{file.name}"
        for kind, below in kinds.items()
        for file in files_of(kind).values()
        if pattern.search(file.read_text(encoding="utf-8"))
    ]


def _has(configs: list[str], file: str) -> bool:
    return any("/".join(Path(name).parts[-2:]) == file for name in configs)
