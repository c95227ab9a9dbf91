"""What a run was made by, in the words of the files of `experiments/methods` and `heads`.

A stage is called after the file whose settings it has, whatever named them: its own configuration tells.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lightning_imbal.experiment_files import display_name, files_of, read_yaml
from lightning_imbal.runs.identity import option_text
from lightning_imbal.wording import last_word

OF_SCHEDULE = ("optimizer", "scheduler")  # how long and how fast a head is trained is no other head
OF_NETWORK = ("hidden_size", "embedding_size")  # as large as the backbone asks for
ASKED_OF_DATA = ("sampler", "paired_sampler", "views", "more_views")
PLAIN_CLASSES = ("Classifier", "FrozenHead", "Linear", "NormedLinear", "ClassPower", "Plain")
MAX_NAMED = 3


@dataclass(frozen=True)
class _Other:
    """A setting of a stage that is another one than in a file.

    Args:
        name: With dots.
        value: What the stage has.
        of_class: Whether it is another class, or one where there is none.
    """

    name: str
    value: Any
    of_class: bool


def method_name(stages: Sequence[dict[str, Any]]) -> str:
    """What a run was made by, such as `LDAM-DRW -> cRW`.

    Args:
        stages: The configuration of each, first to last; what a stage does not say is taken to be as in the file.
    """
    return " -> ".join(_stage_name(stage, "heads" if number else "methods") for number, stage in enumerate(stages))


def _stage_name(stage: dict[str, Any], kind: str) -> str:
    model = stage.get("model") or {}
    if kind == "methods" and last_word(str(model.get("class_path"))) == "FrozenHead":
        kind = "heads"  # nothing is known of the stage before it
    found = _asked(model, (stage.get("data") or {}), kind)
    candidates = [each for each in _candidates(kind, tuple(files_of(kind).values())) if _may_be(each[1], found, kind)]
    ranked = [(name, [*_differences(asked, found)]) for name, asked in candidates]
    name, others = min(ranked, key=lambda each: _distance(each[1]), default=("", [_Other("", "", True)]))
    if any(other.of_class for other in others):
        return _classes_of(found)
    told = ", ".join(f"{other.name} {option_text(other.value)}" for other in others[:MAX_NAMED])
    return f"{name} ({told}{', ...' if len(others) > MAX_NAMED else ''})" if told else name


def _may_be(asked: dict[str, Any], found: dict[str, Any], kind: str) -> bool:
    """Whether a file says what makes a stage: a method its loss, a head a classifier of its own kind."""
    if kind == "methods":  # what says nothing of its loss may be any
        return "loss" in found["model"]["init_args"] or "loss" not in asked["model"]["init_args"]
    own, of_file = _class_of(found["model"], "head"), _class_of(asked["model"], "head")
    return of_file == ("" if own in PLAIN_CLASSES else own)


def _distance(others: Sequence[_Other]) -> tuple[int, int, int]:
    """Other classes, then other ways of showing images, then other numbers."""
    of_data = sum(other.name.startswith(ASKED_OF_DATA) for other in others)
    return sum(other.of_class for other in others), of_data, len(others)


@cache
def _candidates(kind: str, files: tuple[Path, ...]) -> tuple[tuple[str, dict[str, Any]], ...]:
    """Name and settings of every file: those of one stage come first, of two only the first is taken."""
    read = [(display_name(file), read_yaml(file)) for file in files]
    whole = [(name, content) for name, content in read if isinstance(content, dict) and content.get("model")]
    whole.sort(key=lambda each: each[1].get("then") is not None)
    return tuple(
        (name.partition(" -> ")[0], _asked(content["model"], content.get("data") or {}, kind))
        for name, content in whole
    )


def _asked(model: dict[str, Any], data: dict[str, Any], kind: str) -> dict[str, Any]:
    """What of a configuration makes a method, or a head."""
    settings = model.get("init_args") or {}
    if kind == "heads":
        settings = {name: value for name, value in settings.items() if name not in OF_SCHEDULE}
    of_data = {name: value for name, value in (data.get("init_args") or {}).items() if name in ASKED_OF_DATA}
    return {"model": {"class_path": str(model.get("class_path")), "init_args": settings}, "data": of_data}


def _differences(asked: Any, found: Any, name: str = "") -> Iterator[_Other]:
    """The settings of a file that a stage has otherwise; those that it does not mention are not known."""
    if isinstance(asked, dict) and "class_path" in asked:
        if not isinstance(found, dict) or _last(asked) != _last(found):
            yield _Other(name, found, of_class=True)
            return
        asked, found = asked.get("init_args") or {}, found.get("init_args") or {}
    if isinstance(asked, dict) and isinstance(found, dict):
        for key in asked:
            if key in found and key not in OF_NETWORK:
                yield from _differences(asked[key], found[key], ".".join(filter(None, [name, _shown(key)])))
    elif isinstance(asked, list) and isinstance(found, list) and len(asked) == len(found):
        for number, pair in enumerate(zip(asked, found, strict=True)):
            yield from _differences(*pair, f"{name}.{number}")
    elif asked != found:
        yield _Other(name, found, of_class=isinstance(found, dict | list) or isinstance(asked, dict | list))


def _shown(key: str) -> str:
    return "" if key in ("model", "data") else key


def _last(choice: dict[str, Any]) -> str:
    return last_word(str(choice.get("class_path")))


def _class_of(model: dict[str, Any], part: str) -> str:
    choice = (model.get("init_args") or {}).get(part)
    return _last(choice) if isinstance(choice, dict) else ""


def _classes_of(found: dict[str, Any]) -> str:
    """The classes of a stage that is like no file, but for the plainest."""
    of_model, of_data = found["model"].get("init_args") or {}, found["data"]
    parts = [found["model"], *(of_model.get(name) for name in ("loss", "head", "mixer", "metric", "perturb"))]
    parts += [of_data.get(name) for name in ("sampler", "paired_sampler")]
    names = [_nested(part) for part in parts if isinstance(part, dict) and _last(part) not in PLAIN_CLASSES]
    return " + ".join(names) or _last(found["model"])


def _nested(choice: dict[str, Any]) -> str:
    """A class with the one inside it, such as `Deferred(LDAM)`."""
    inner = [
        _nested(each) for each in (choice.get("init_args") or {}).values() if isinstance(each, dict) and _last(each)
    ]
    return _last(choice) + (f"({', '.join(inner)})" if inner and "loss" in (choice.get("init_args") or {}) else "")
