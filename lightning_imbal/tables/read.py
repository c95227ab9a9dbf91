"""Reads the YAML of a table, and the numbers that the paper prints."""

import os
import re
from dataclasses import fields
from pathlib import Path

import pandas as pd
from jsonargparse import ArgumentError, ArgumentParser

from lightning_imbal.decisions.base import Rule
from lightning_imbal.errors import UserError
from lightning_imbal.experiment_files import find, read_yaml
from lightning_imbal.score_names import OF_CLASS, OF_GROUP, OF_PROBABILITY, SCORES
from lightning_imbal.tables.spec import Column, Figure, FurtherTest, Metric, Row, Spec
from lightning_imbal.wording import did_you_mean

KEYS = ["row", "dataset", "backbone", "metric"]


def read_spec(file: str | Path) -> Spec:
    """Reads and checks a specification; paths in it are relative to its folder, or of `experiments`.

    Raises:
        UserError: A file is missing, a key is unknown, a value has the wrong type, or something names a row, column or
            metric that is not there.
    """
    file = Path(find(str(file), "tables"))
    content = read_yaml(file)
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
        if "FurtherTest" in message:
            owner = FurtherTest
        known = [entry.name for entry in fields(owner) if entry.init]
        hint = did_you_mean(match[1], known) or f"it takes {', '.join(known)}."
        return f"{where} has the unknown key {match[1]!r}: {hint}"
    if match := re.search(r"Expected a dot import path string: (\S+)", message):
        hint = did_you_mean(match[1], [rule.__name__ for rule in Rule.__subclasses__()])
        return f"{where} names {match[1]!r}, which is no class: {hint or 'see `lightning_imbal list decisions`.'}"
    if match := re.search(r"arguments are required: (.+)", message):
        return f"{where} lacks {match[1].replace('table.', '')}: add it."
    wrong = " ".join(re.sub(r'Parser key "[^"]*":|Problem with given class_path \S+', " ", message).split())
    return f"a value of {where} does not fit: {wrong}."


def _existing(file: Path, name: str) -> str:
    path = Path(os.path.normpath(file.parent / name))
    if path.is_file():
        return str(path)
    try:
        return find(name)
    except UserError as error:
        what = f"{file} names {name}, but there is no {path}"
        hint = str(error).partition(": ")[2] if "did you mean" in str(error) else ""
        raise UserError(f"{what}: {hint or 'paths are relative to its file, or to `experiments`.'}") from error


def _check_scores(spec: Spec, file: Path) -> None:
    for metric in spec.metrics.values():
        kind, part = metric.score.partition("/")[::2]
        if not (metric.score in SCORES or (part and kind in (*OF_CLASS, *OF_PROBABILITY, *OF_GROUP))):
            hint = did_you_mean(metric.score, SCORES) or "see `lightning_imbal list scores`."
            raise UserError(f"{file} has the score {metric.score!r}, which there is not: {hint}")


def _check(spec: Spec, file: Path) -> None:
    _check_scores(spec, file)
    named = [row.start for row in spec.rows.values()] + [spec.baseline]
    for name in filter(None, named):
        if name not in spec.rows or spec.rows[name].quoted:
            hint = did_you_mean(name, [row for row, of in spec.rows.items() if not of.quoted])
            raise UserError(
                f"{file} refers to the row {name!r}, which is not among those it runs{f': {hint}' if hint else '.'}"
            )
    for name, row in spec.rows.items():
        if row.start and spec.rows[row.start].start:
            raise UserError(f"{file}: {name!r} starts from {row.start!r}, which starts from another row itself.")
    titles = [column.title for column in spec.columns]
    if twice := {title for title in titles if titles.count(title) > 1}:
        raise UserError(f"{file} has two columns {twice.pop()!r}: give each a data set and backbone of its own.")
    for what, two in (("gap", spec.gap), ("rankings", spec.rankings)):
        if two is not None and (len(two) != 2 or len(set(two) & set(titles)) != 2):
            raise UserError(f"{file} has the {what} {two}: give the titles of two of its columns, {', '.join(titles)}.")
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
