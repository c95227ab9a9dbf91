"""The pages of everything that is no method: classes, files, tables, scores."""

import re
from pathlib import Path
from typing import Any

from lightning_imbal.experiment_files import files_of, read_yaml
from lightning_imbal.guide.classes import Documented, find_class
from lightning_imbal.guide.comments import comment
from lightning_imbal.guide.page import Page, Section
from lightning_imbal.guide.references import named_in, references
from lightning_imbal.guide.settings import class_of, objects_in, yaml_text
from lightning_imbal.guide.used import files_with, rows_with
from lightning_imbal.score_names import SCORES

OPTION = {"losses": "--model.loss", "samplers": "--data.sampler", "decisions": "--rule"}


def class_page(kind: str, known: Documented) -> Page:
    """The page of a loss, a sampler or a decision rule: docstring, arguments with defaults, where it is used."""
    arguments = tuple((each.name, "" if each.default is None else each.default, each.about) for each in known.arguments)
    sections = [
        Section("What it is", text=" ".join(known.text.split())),
        Section("Papers", items=tuple(references()[paper] for paper in named_in(known.about, known.text))),
        Section("Equation", code=known.equation.replace("`", "")),
        Section("Limits", text=known.limits),
        Section("Arguments", rows=(("name", "default", ""), *arguments) if arguments else ()),
        Section("Used by", items=tuple(files_with(known.name))),
        Section("Use it", code=_use(kind, known), language="bash"),
    ]
    return Page(kind, known.name, known.name, known.about, _kept(sections))


def file_page(kind: str, name: str) -> Page:
    """The page of a protocol, or of an overlay for the data, the network or the training."""
    file = files_of("." if kind == "experiments" else kind)[name]
    content = read_yaml(file)
    below = file.name if kind == "experiments" else f"{kind}/{file.name}"
    data = [class_of(each) for each in objects_in(content.get("data") or content)]
    known = [each for each in map(find_class, data) if each and re.search("[Ii]mages|root", each.text + each.about)]
    sections = [
        *(Section(each.name, text=f"{each.about} {' '.join(each.text.split())}".strip()) for each in known[:1]),
        Section("Papers", items=tuple(references()[paper] for paper in named_in(comment(file)))),
        Section("In tables", items=tuple(rows_with(below))),
        Section("Run it", code=_run(kind, below), language="bash"),
        Section(below, code=yaml_text(content), language="yaml"),
    ]
    return Page(kind, name, name, comment(file), _kept(sections))


def table_page(name: str) -> Page:
    """The page of a table: its columns, rows and scores, and how to run it."""
    file = files_of("tables")[name]
    spec: dict[str, Any] = read_yaml(file)
    columns = [", ".join(filter(None, [each["dataset"], each.get("backbone", "")])) for each in spec["columns"]]
    sections = [
        Section("Columns", items=tuple(columns)),
        Section("Rows", items=tuple(_row_text(row, content) for row, content in spec["rows"].items())),
        Section("Scores", items=tuple(f"{key}: {each['score']}" for key, each in spec["metrics"].items())),
        Section("Published numbers", text=_published(spec)),
        Section(
            "Run it",
            code=f"lightning_imbal table {name}.yaml --data.root DIR\nmake {name} DATA=DIR",
            language="bash",
        ),
    ]
    return Page("tables", name, spec["title"], comment(file), _kept(sections))


def score_page(key: str) -> Page:
    """The page of a score: its name, its direction, where it is printed."""
    score = SCORES[key]
    told = [f"{'Lower' if score.lower_is_better else 'Higher'} is better."]
    told += ["It means something only where the classes have an order, as grades do."] if score.ordered else []
    told += [
        f"It is a line of every report{' of such data' * score.ordered}."
        if score.shown
        else "It is computed, and printed by tables that ask for it."
    ]
    use = f"lightning_imbal fit --config demo.yaml --monitor val/{key}"
    use += " \\\n    --monitor_mode min" if score.lower_is_better else ""
    return Page(
        "scores",
        key,
        score.title,
        score.in_words,
        (Section("What it is", items=tuple(told)), Section("Use it", code=use, language="bash")),
    )


def _published(spec: dict[str, Any]) -> str:
    name = spec.get("published")
    return (
        f"experiments/published/{Path(name).name}"
        if name
        else "None: the paper prints none, or it is no paper's table."
    )


def _row_text(row: str, content: dict[str, Any]) -> str:
    if content.get("quoted"):
        return f"{row}: quoted by the paper, not run"
    files = ", ".join("/".join(Path(name).parts[-2:]) for name in content.get("configs", []))
    return f"{row}: {files}" if files else row


def _use(kind: str, known: Documented) -> str:
    if kind == "decisions":
        return f"lightning_imbal decide RUN --rule {known.name}"
    option = "--model MetricLearningClassifier --model.metric" if known.name.endswith("Term") else OPTION[kind]
    return f"lightning_imbal fit --config PROTOCOL.yaml --config methods/ce.yaml \\\n    {option} {known.name}"


def _run(kind: str, below: str) -> str:
    if kind == "experiments":
        return f"lightning_imbal fit --config {below} --data.root DIR"
    return f"lightning_imbal fit --config PROTOCOL.yaml \\\n    --config {below} --data.root DIR"


def _kept(sections: list[Section]) -> tuple[Section, ...]:
    return tuple(each for each in sections if each.text or each.items or each.rows or each.code)
