"""What was measured here: numbers of `experiments/results`, as the program has written them."""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lightning_imbal.experiment_files import display_name, folders, read_yaml
from lightning_imbal.wording import interval_text, score_text

NOT_RUN = "not run here"


@dataclass(frozen=True)
class Table:
    """A table that was run: its specification and its numbers.

    Args:
        name: Of the table.
        overlays: What was laid over its protocol, such as `64px`; empty if it was run as the paper says.
        spec: Its YAML.
        numbers: By row, data set, backbone and metric: the columns of the CSV file.
    """

    name: str
    overlays: str
    spec: dict[str, Any]
    numbers: dict[tuple[str, str, str, str], dict[str, str]]

    @property
    def title(self) -> str:
        """What it shows, and under which overlay."""
        return f"{self.spec['title']}{f', {self.overlays}' if self.overlays else ''}"

    def text(self, row: str, dataset: str, backbone: str, metric: str) -> str:
        """A number with its 95 % interval, such as "0.577 [0.534, 0.614]", or that it was not run."""
        number = self.numbers.get((row, dataset, backbone, metric))
        if number is None or not number["value"]:
            return NOT_RUN
        digits = int(self.spec.get("decimals", 3))
        value = score_text(float(number["value"]), digits)
        low, high = (float(number.get(end) or "nan") for end in ("low", "high"))
        return " ".join(filter(None, [value, interval_text(low, high, digits)]))


def tables_run(*places: Path) -> list[Table]:
    """The tables of which there are results, those that were run as the paper says first.

    Args:
        places: Folders of experiments; by default `folders()`.
    """
    return _tables_run(*(place.resolve() for place in places or folders()))


@cache
def _tables_run(*places: Path) -> list[Table]:
    found = []
    for place in places:
        for spec in sorted((place / "tables").glob("*.yaml")):
            for file in sorted((place / "results").glob(f"{spec.stem}*.csv")):
                overlays = file.stem.removeprefix(spec.stem)
                if (overlays.startswith("-") or not overlays) and "_" not in overlays:
                    found.append(Table(spec.stem, overlays.removeprefix("-"), read_yaml(spec), _numbers(file)))
    return found


def rows_of_file(spec: dict[str, Any], file: Path) -> list[str]:
    """The rows of a table that are a method as its file has it: with nothing over it, and no decision rule."""
    own = f"{file.parent.name}/{file.name}"
    rows = spec["rows"]
    alone = {"configs", "start", "epochs", "test"}
    named = display_name(file)
    return [
        row
        for row, content in rows.items()
        if row == named or (content.keys() <= alone and [_short(name) for name in content.get("configs", [])] == [own])
    ]


def _short(file: str) -> str:
    return "/".join(Path(file).parts[-2:])


def _numbers(file: Path) -> dict[tuple[str, str, str, str], dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return {(row["row"], row["dataset"], row["backbone"], row["metric"]): row for row in csv.DictReader(lines)}
