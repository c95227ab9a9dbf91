"""What a table consists of: rows, columns, seeds or folds, metrics, and the numbers that the paper prints."""

import os
import re
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import yaml
from jsonargparse import ArgumentError, ArgumentParser

from lightning_imbal.errors import UserError

KEYS = ["row", "dataset", "backbone", "metric"]


@dataclass(kw_only=True)
class Metric:
    """A metric of the paper.

    Args:
        score: Its key among the scores of a run, such as `f1`, `group_recall/minor`; see `classification_scores`.
        title: Heading; by default the name of the metric.
        mark: How many rows the paper marks: 0, 1 (the best, bold) or 2 (the second best too, underlined).
    """

    score: str
    title: str | None = None
    mark: int = 1

    @property
    def low_is_good(self) -> bool:
        """Whether a smaller value is better, as of a calibration error."""
        return self.score == "ece"


@dataclass(kw_only=True)
class Inference:
    """A further test of a trained checkpoint, where nothing is trained again.

    Args:
        name: Folder of its results, inside that of the run.
        configs: Files for `lightning_imbal test --config`.
        options: Options of `lightning_imbal test`, such as `model.perturb.temperature: 10`.
    """

    name: str
    configs: list[str] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(kw_only=True)
class Row:
    """A method.

    Args:
        configs: Files that are laid over those of the column.
        options: Options of `fit`, such as `model.temperature: 0.1`.
        epochs: Share of the protocol's epochs.
        start: Row whose first stage is the same; it is taken from that run and not trained again.
        test: Results are those of this test, not those of the run's own.
        report: Sub-folder of the results, such as `plain` of a PerturbedClassifier.
        quoted: The paper quotes the numbers from elsewhere; nothing is run.
        curve: Name of the curve of a figure that the row is a point of.
        x: Where on that curve.
    """

    configs: list[str] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)
    epochs: float = 1.0
    start: str | None = None
    test: Inference | None = None
    report: str = ""
    quoted: bool = False
    curve: str | None = None
    x: float | None = None


@dataclass(kw_only=True)
class Column:
    """A protocol: a data set, and a backbone.

    Args:
        dataset: Name of the data set, as in the published numbers.
        backbone: Name of the backbone, as in the published numbers.
        configs: Files below those of the row.
        options: Options of `fit`; they win over those of the row.
        seeds: Seeds to run.
        folds: Folds to run instead, each with the default seed.
        test: As in `Row`, for all rows.
    """

    dataset: str
    backbone: str = ""
    configs: list[str] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)
    seeds: list[int] = field(default_factory=lambda: [0])
    folds: list[int] | None = None
    test: Inference | None = None

    @property
    def title(self) -> str:
        """Data set and backbone."""
        return ", ".join(filter(None, [self.dataset, self.backbone]))


@dataclass(kw_only=True)
class Figure:
    """How the results are drawn.

    Args:
        kind: `lines`: the metrics over `x` of the rows, a line per curve. `bars`: a score of each class, a bar per row.
            `dots`: the same, a panel per class, in it a dot for each row and column; for many rows.
        score: Of bars and dots: `f1` or `recall`.
        x: Title of the horizontal axis of lines.
        log: Whether that axis is logarithmic.
    """

    kind: Literal["lines", "bars", "dots"]
    score: Literal["f1", "recall"] = "f1"
    x: str = ""
    log: bool = False


@dataclass(kw_only=True)
class Spec:
    """A table or figure of a paper, or one of your own.

    Args:
        title: Paper, number of the table, and what it shows.
        columns: Protocols.
        rows: Methods by their names.
        metrics: Metrics by their names in the published numbers.
        published: CSV file with columns row, dataset, backbone, metric, value, std.
        average: What is taken over the seeds or folds.
        scale: What scores are multiplied with: 100 for per cent.
        decimals: How many are printed.
        baseline: Row that all others are tested against; by default the first that is run.
        figure: Draws the results as well.
        gap: Titles of two columns: how far the scores in the first are above those in the second is a table as well.

    Attributes:
        name: Stem of the file that it was read from.
    """

    title: str
    columns: list[Column]
    rows: dict[str, Row]
    metrics: dict[str, Metric]
    published: str | None = None
    average: Literal["mean", "median"] = "mean"
    scale: float = 1.0
    decimals: int = 3
    baseline: str | None = None
    figure: Figure | None = None
    gap: list[str] | None = None
    name: str = field(init=False, default="")


def read_spec(file: str | Path) -> Spec:
    """Reads and checks a specification; paths in it are relative to its folder, in what is returned to this one.

    Raises:
        UserError: A file is missing, a key is unknown, a value has the wrong type, or something names a row, column or
            metric that is not there.
    """
    file = Path(file)
    if not file.is_file():
        raise UserError(f"There is no table {file}: give a file such as experiments/tables/marrakchi_table1.yaml.")
    try:
        content = yaml.safe_load(file.read_text())
    except yaml.YAMLError as error:
        raise UserError(f"{file} is not valid YAML: {' '.join(str(error).split())}.") from error
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--table", type=Spec)
    try:
        spec = parser.instantiate(parser.parse_object({"table": content})).table
    except ArgumentError as error:
        raise UserError(f"{file}: {_explain(str(error))}") from error
    spec.name = file.stem
    for holder in [*spec.columns, *spec.rows.values()]:
        for part in filter(None, [holder, holder.test]):
            part.configs = [_existing(file, name) for name in part.configs]
    if spec.published:
        spec.published = _existing(file, spec.published)
    _check(spec, file)
    return spec


def published_numbers(spec: Spec) -> pd.DataFrame:
    """The numbers that the paper prints, one row each: row, dataset, backbone, metric, value, std (empty: none)."""
    if spec.published is None:
        return pd.DataFrame(columns=[*KEYS, "value", "std"])
    return pd.read_csv(spec.published, dtype=dict.fromkeys(KEYS, str)).fillna({"backbone": ""})


def _explain(message: str) -> str:
    """One sentence for a message of jsonargparse."""
    where = (re.findall(r'Parser key "table\.(\w+)"', message) or ["the table"])[0]
    if match := re.search(r"(?:Option|option) '([^']+)'", message):
        owner = {"rows": Row, "columns": Column, "metrics": Metric, "figure": Figure}.get(where, Spec)
        if "Inference" in message:
            owner = Inference
        known = [entry.name for entry in fields(owner) if entry.init]
        return f"{where} has the unknown key {match[1]!r}: it takes {', '.join(known)}."
    if match := re.search(r"arguments are required: (.+)", message):
        return f"{where} lacks {match[1].replace('table.', '')}: add it."
    wrong = " ".join(re.sub(r'Parser key "[^"]*":|Problem with given class_path \S+', " ", message).split())
    return f"a value of {where} does not fit: {wrong}."


def _existing(file: Path, name: str) -> str:
    path = Path(os.path.normpath(file.parent / name))
    if not path.is_file():
        raise UserError(f"{file} names {name}, but there is no {path}: paths are relative to the table's file.")
    return str(path)


def _check(spec: Spec, file: Path) -> None:
    named = [row.start for row in spec.rows.values()] + [spec.baseline]
    for name in filter(None, named):
        if name not in spec.rows or spec.rows[name].quoted:
            raise UserError(f"{file} refers to the row {name!r}, which is not among those it runs.")
    for name, row in spec.rows.items():
        if row.start and spec.rows[row.start].start:
            raise UserError(f"{file}: {name!r} starts from {row.start!r}, which starts from another row itself.")
    titles = [column.title for column in spec.columns]
    if twice := {title for title in titles if titles.count(title) > 1}:
        raise UserError(f"{file} has two columns {twice.pop()!r}: give each a data set and backbone of its own.")
    if spec.gap is not None and (len(spec.gap) != 2 or not set(spec.gap) <= set(titles)):
        raise UserError(f"{file} has the gap {spec.gap}: give the titles of two of its columns, {', '.join(titles)}.")
    numbers = published_numbers(spec)
    printed = numbers["dataset"] + numbers["backbone"].map(lambda name: f", {name}" if name else "")
    known = {
        "row": (numbers["row"], spec.rows),
        "column": (printed, titles),
        "metric": (numbers["metric"], spec.metrics),
    }
    for kind, (names, ours) in known.items():
        if missing := sorted(set(names) - set(ours)):
            raise UserError(f"{spec.published} has the {kind} {missing[0]!r}, which {file} lacks: add it there.")
