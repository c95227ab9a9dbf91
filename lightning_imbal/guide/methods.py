"""The page of a method or a head: paper, equation, what it changes, stages, limits, results, how to run it."""

from functools import cache
from pathlib import Path
from typing import Any

from lightning_imbal.experiment_files import display_name, files_of, read_yaml
from lightning_imbal.guide.classes import Documented, find_class
from lightning_imbal.guide.comments import comment
from lightning_imbal.guide.page import Page, Section
from lightning_imbal.guide.references import named_in, references
from lightning_imbal.guide.results import rows_of_file, tables_run
from lightning_imbal.guide.settings import changes, class_of, objects_in, yaml_text
from lightning_imbal.guide.used import rows_with
from lightning_imbal.wording import value_text

NOTATION = (
    "C classes, n_c training images of class c, N of all; f feature, z logits, p = softmax(z), y label; "
    "mean_i is over the images of a batch."
)
PROTOCOL = "PROTOCOL.yaml is one of `lightning_imbal list experiments`, or that of your images, which `init` writes."
BASE = "ce"
EQUATION, CHANGES, LIMITS, RESULTS = (
    "Equation",
    "What it changes against plain cross-entropy",
    "When not to use it, and what it needs",
    "Results here",
)


def method_page(name: str, kind: str = "methods") -> Page:
    """The page of a file of `experiments/methods` or `heads`."""
    file = files_of(kind)[name]
    content = read_yaml(file) or {}
    classes = described(name, kind)
    about = comment(file)
    sections = [
        Section("Papers", items=tuple(references()[paper] for paper in _papers(about, content, classes))),
        Section(
            EQUATION, code=_equations(classes), text=NOTATION if _equations(classes) else _without_equation(classes)
        ),
        Section(CHANGES, items=tuple(_changes(name, kind, content))),
        Section("Stages", items=tuple(_stages(kind, content))),
        Section(LIMITS, items=tuple(limits(name, kind))),
        *_results(name, kind, file),
        Section("In tables", items=tuple(rows_with(f"{kind}/{file.name}"))),
        Section("Run it", text=PROTOCOL, code=_commands(name, kind), language="bash"),
        Section(f"{kind}/{file.name}", code=yaml_text(content), language="yaml"),
    ]
    kept = tuple(section for section in sections if section.text or section.items or section.rows or section.code)
    return Page(kind, name, display_name(file), about, kept)


def head_file(content: dict[str, Any]) -> Path | None:
    """The file of a method's second stage; None without one, or if it is written into the method's file."""
    then = content.get("then")
    return files_of("heads").get(Path(then).stem) if isinstance(then, str) else None


def described(name: str, kind: str) -> list[Documented]:
    """The classes that make a method or a head what it is, those of a second stage too, in the order of its file."""
    content = read_yaml(files_of(kind)[name]) or {}
    base = {} if (kind, name) == ("methods", BASE) else _base()
    found = []
    for part in ("model", "data"):
        now, before = content.get(part) or {}, base.get(part) or {}
        if "class_path" in now and class_of(now) != class_of(before):
            found.append(class_of(now))
        of_base = before.get("init_args") or {}
        for setting, value in (now.get("init_args") or {}).items():
            if value != of_base.get(setting) and setting not in ("optimizer", "scheduler"):
                found += [class_of(each) for each in objects_in(value)]
    classes = [known for known in map(find_class, found) if known]
    classes += [known for each in classes for known in map(find_class, each.mentioned) if known]
    if head := head_file(content):
        classes += described(head.stem, "heads")
    unique = {each.name: each for each in classes}
    return [each for each in unique.values() if each.equation or each.limits]


def limits(name: str, kind: str) -> list[str]:
    """Where not to use it, by class, and what it costs, as far as its file tells."""
    told = [f"{each.name}: {each.limits}" for each in described(name, kind) if each.limits]
    data = ((read_yaml(files_of(kind)[name]) or {}).get("data") or {}).get("init_args") or {}
    images = data.get("views", 1) + len(data.get("more_views") or []) + bool(data.get("paired_sampler"))
    return told + ([f"A step reads {images} images where cross-entropy reads one."] if images > 1 else [])


@cache
def _base() -> dict[str, Any]:
    content: dict[str, Any] = read_yaml(files_of("methods")[BASE])
    return content


def _papers(about: str, content: dict[str, Any], classes: list[Documented]) -> list[str]:
    """Those that the file and that of its second stage name; if there are none, those of its classes."""
    head = head_file(content)
    return named_in(about, comment(head) if head else "") or named_in(
        *(text for each in classes for text in (each.about, each.text))
    )


def _equations(classes: list[Documented]) -> str:
    parts = [
        f"{each.name}\n  " + each.equation.replace("`", "").replace("\n", "\n  ") for each in classes if each.equation
    ]
    return "\n".join(parts)


def _without_equation(classes: list[Documented]) -> str:
    return "It has none: " + " ".join(each.about for each in classes)


def _changes(name: str, kind: str, content: dict[str, Any]) -> list[str]:
    if (kind, name) == ("methods", BASE):
        return ["Nothing: it is plain cross-entropy, every image once in an epoch."]
    told, plain = [], []
    for change in changes(content, _base()):
        known = find_class(class_of(change.now) or str(change.now)) if change.now else None
        if change.before is None and known is None:
            plain.append(f"{change.setting} {value_text(change.now)}")
        else:
            told.append(f"{change.said()}.{f' {known.about}' if known else ''}")
    told += [f"Its settings: {', '.join(plain)}."] if plain else []
    head = head_file(content)
    return told + ([f"A second stage: heads/{head.name}."] if head else [])


def _stages(kind: str, content: dict[str, Any]) -> list[str]:
    first = class_of(content.get("model"))
    known = find_class(first)
    about = f"{first}: {known.about}" if known else first or "The model of the protocol."
    if kind == "heads":
        trainer = content.get("trainer") or {}
        epochs = trainer.get("max_epochs", "as many")
        length = "solved once, not trained" if trainer.get("limit_train_batches") == 1 else f"{epochs} epochs"
        return [f"Second of two, {length}, on the backbone of any first stage. {about}"]
    if not content.get("then"):
        return [f"One. {about}"]
    head = head_file(content)
    second = comment(head) if head else "As the file says."
    return [f"First, for the epochs of the protocol. {about}", f"Second. {second}"]


def _results(name: str, kind: str, file: Path) -> list[Section]:
    """A table for each table that was run with it; one sentence where none was."""
    own = files_of("methods").get(f"ce_{name}", file) if kind == "heads" else file
    sections = []
    # Those of decision rules have the same runs again.
    tables = [table for table in tables_run() if not any("decision" in row for row in table.spec["rows"].values())]
    for table in sorted(tables, key=lambda table: -len(table.numbers)):
        rows = rows_of_file(table.spec, own)
        if rows and any(row == key[0] for row in rows for key in table.numbers):
            compared = [
                *rows,
                *(row for row in rows_of_file(table.spec, files_of("methods")[BASE])[:1] if row not in rows),
            ]
            sections.append(Section(RESULTS, text=_said(table.title), rows=_scores(table, compared)))
    return sections or ([Section(RESULTS, text="Not run here.")] if tables else [])


def _said(title: str) -> str:
    return f"{title}. In brackets: 95 % interval."


def _scores(table: Any, rows: list[str]) -> tuple[tuple[str, ...], ...]:
    metrics = {key: each for key, each in table.spec["metrics"].items() if each.get("mark", 1)}
    head = ("", *(each.get("title", key) for key, each in metrics.items()))
    lines = []
    for column in table.spec["columns"]:
        dataset, backbone = column["dataset"], column.get("backbone", "")
        for row in rows:
            place = ", ".join(filter(None, [row, dataset, backbone]))
            lines.append((place, *(table.text(row, dataset, backbone, metric) for metric in metrics)))
    return (head, *lines)


def _commands(name: str, kind: str) -> str:
    if kind == "heads":
        return f"lightning_imbal fit --config PROTOCOL.yaml \\\n    --then heads/{name}.yaml --data.root DIR"
    return (
        f"lightning_imbal fit --config PROTOCOL.yaml \\\n    --config methods/{name}.yaml --data.root DIR\n"
        f"lightning_imbal compare --config my_images.yaml \\\n    --methods {' '.join(dict.fromkeys([BASE, name]))}"
    )
