"""What a paper prints beside what was obtained here, table by table."""

import csv
from pathlib import Path
from typing import Any

from lightning_imbal.experiment_files import files_of, read_yaml
from lightning_imbal.guide.markdown import section_markdown, table_markdown
from lightning_imbal.guide.page import Section
from lightning_imbal.guide.results import NOT_RUN, Table, tables_run

Key = tuple[str, str, str, str]


def numbers_of(author: str, *places: Path) -> str:
    """The tables and figures of a paper in Markdown: published numbers, and ours where they were run.

    Args:
        author: First author, as tables are named: `zhang` for `zhang_table1.yaml`.
        places: Folders of experiments; by default those that are looked through for any file.
    """
    tables = {name: file for name, file in files_of("tables", *places).items() if name.startswith(f"{author}_")}
    run = {table.name: table for table in reversed(tables_run(*places))}
    return "\n\n".join(_table(name, file, run.get(name)) for name, file in tables.items())


def _table(name: str, file: Path, run: Table | None) -> str:
    spec: dict[str, Any] = read_yaml(file)
    published = _published(file.parent / spec["published"]) if spec.get("published") else {}
    said = f"Run as: {run.overlays or 'in the paper'}." if run else "Not run here."
    printed = "" if published else " The paper prints no numbers here."
    title, _, shows = spec["title"].partition(": ")
    parts = [
        section_markdown(Section(title, text=f"{shows[:1].upper()}{shows[1:]}.")),
        f"{said}{printed}",
        f"```bash\nmake {name} DATA=DIR\n```",
    ]
    for column in spec["columns"] if published or run else []:
        place = (column["dataset"], column.get("backbone", ""))
        parts += [f"### {', '.join(filter(None, place))}", _rows(spec, place, published, run)]
    return "\n\n".join(parts)


def _rows(spec: dict[str, Any], place: tuple[str, str], published: dict[Key, str], run: Table | None) -> str:
    """One column of a table: its rows, and of each metric what is published and, if any cell was run, what is ours."""
    metrics, rows = spec["metrics"], spec["rows"]
    ours = {(row, metric): run.text(row, *place, metric) if run else NOT_RUN for row in rows for metric in metrics}
    anything = any(text != NOT_RUN for text in ours.values())
    head, lines = [""], []
    for key, metric in metrics.items():
        title = metric.get("title", key)
        head += [f"{title}, paper", f"{title}, here"] if anything else [title]
    for row in rows:
        line = [row]
        for metric in metrics:
            line.append(published.get((row, *place, metric), ""))
            line += [ours[row, metric]] if anything else []
        lines.append(tuple(line))
    return table_markdown((tuple(head), *lines))


def _published(file: Path) -> dict[Key, str]:
    with file.open(encoding="utf-8", newline="") as lines:
        return {
            (row["row"], row["dataset"], row["backbone"], row["metric"]): " ± ".join(
                filter(None, [row["value"], row["std"]])
            )
            for row in csv.DictReader(lines)
        }
