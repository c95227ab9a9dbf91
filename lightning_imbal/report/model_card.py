"""The Markdown page that goes with a trained model: what it is, what it was trained on, and where it fails."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lightning_imbal.report.card_use import code, preprocessing
from lightning_imbal.report.groups_once import rows_once
from lightning_imbal.report.model_card_subgroups import subgroup_parts
from lightning_imbal.runs.caveats import caveats_of
from lightning_imbal.runs.lineage import lineage
from lightning_imbal.runs.run import by_size
from lightning_imbal.runs.title import data_name, data_title, title_parts
from lightning_imbal.score_names import OF_CLASS
from lightning_imbal.stats.caveats import FEW_IMAGES, shared_groups
from lightning_imbal.stats.read_runs import read_runs
from lightning_imbal.stats.results import Results, classes_of
from lightning_imbal.wording import calibrated_text, interval_text, last_word, number_of, score_text
from lightning_imbal.wording import escape_markdown as escape

MANY_CLASSES = 25  # more make a confusion matrix that nobody can read
CONFUSIONS = 20
PARTS = {"train": "train", "val": "validation", "test": "test", "unreadable": "unreadable", "": "left out"}


def model_card(folder: Path, facts: dict[str, str]) -> str:
    """Writes the model card of a run.

    Args:
        folder: What `fit` or `test` wrote to.
        facts: About the file that the card is for: its name as `file`, `checkpoint`, `head`, `adjustment`,
            `image_size`, `recipe`, `mean`, `std`; sentences `check` (against PyTorch) and `origin` (whether the scores
            are those of the file); `steps`, lines of Python that make of `picture` what the network takes.

    Raises:
        UserError: The folder holds no finished run.
    """
    results = read_runs([folder])
    run = next(of_row[0] for rows in results.runs.values() for of_row in rows.values())
    own, split = [stage.config() for stage in run.stages], run.split()
    stages = lineage(own[-1], run.stages[-1].folder)
    trained_on = data_name(stages[-1]["data"])
    parts = [
        f"# Model card: {escape(run.title)}",
        f"A classifier of images into {len(run.class_names)} classes, trained on {escape(trained_on)}, as the "
        f"file {escape(facts['file'])}.",
        _table(["", ""], _about(run.identity, stages, trained_on, facts), numbers=0),
        "## Intended use and limits",
        "\n".join(f"- {limit}" for limit in _limits(results, run.results, split, trained_on, facts)),
        "## Training data",
        _split_text(run.identity, split),
        _split_table(split, [row["name"] for row in by_size(run.results["classes"])]),
        "## Preprocessing",
        preprocessing(facts),
        f"## Results on the {escape(run.identity['part'])} part of {escape(data_title(run.identity))}",
        escape(facts["origin"]),
        _summary(results, run.results),
        _classes(results, run.results),
        *subgroup_parts(results),
        "## Confusions",
        _confusions(run.results),
        "## How it was checked",
        escape(facts["check"]),
        "## How to use it",
        "With the packages onnxruntime and opencv-python-headless. The run reduces a large picture in two steps, so "
        "that its probabilities may differ in the second decimal.",
        code(facts),
    ]
    return "\n\n".join(parts) + "\n"


def described(choice: Any, whole: bool = False) -> str:
    """A class and its arguments, without those that are null, as a configuration holds them.

    Args:
        choice: With `class_path` and `init_args`; anything else is described by its own text.
        whole: Whether to name the module of the class.
    """
    if not isinstance(choice, dict):
        return str(choice)
    given = {name: value for name, value in (choice.get("init_args") or {}).items() if value is not None}
    values = ", ".join(f"{name}={_value(value)}" for name, value in given.items())
    return (choice["class_path"] if whole else last_word(choice["class_path"])) + (f"({values})" if values else "")


def _value(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else described(value)


def _about(
    identity: dict[str, Any], stages: Sequence[dict[str, Any]], trained_on: str, facts: dict[str, str]
) -> list[list[str]]:
    losses = [described(loss) for stage in stages if (loss := stage["model"]["init_args"].get("loss"))]
    rows = {
        "run": identity["name"],
        "method": title_parts(identity)["method"],
        "modules": ", then ".join(last_word(stage["model"]["class_path"]) for stage in stages),
        "loss": ", then ".join(losses),
        "backbone": identity.get("backbone") or "unknown",
        "classifier": facts["head"],
        "at inference": facts["adjustment"],
        "fitted": ", ".join(f"{name} {value:.4g}" for name, value in (identity.get("fitted") or {}).items()),
        "decision": facts.get("decided", ""),
        "data set": trained_on,
        "seed": identity["seed"],
        "checkpoint": facts["checkpoint"],
        "finished": identity.get("finished", ""),
        "commit": identity["commit"] or "unknown",
        "versions": ", ".join(f"{name} {number}" for name, number in identity["versions"].items()),
    }
    return [[name, str(value)] for name, value in rows.items() if value != ""]


def _limits(
    results: Results, found: dict[str, Any], split: pd.DataFrame, trained_on: str, facts: dict[str, str]
) -> Iterator[str]:
    yield "For research. It is not a medical device: no diagnosis and no treatment may rest on it."
    yield (
        f"It has learned from {escape(trained_on)} alone. How it does on images of another camera, clinic or "
        "population is not known."
    )
    yield f"It puts every image into one of its {len(found['classes'])} classes, also one that shows none of them."
    few = [row for row in by_size(found["classes"]) if row["images"] < FEW_IMAGES]
    if few:
        named = ", ".join(f"{escape(row['name'])} ({row['images']})" for row in few)
        yield f"Fewer than {FEW_IMAGES} {found['identity']['part']} images, so that the scores mean little: {named}."
    yield from map(escape, caveats_of(found))
    yield from shared_groups(split, found["identity"]["part"])
    calibrated = results.cells.set_index("metric")["calibrated"].get("ece", np.nan)
    beside = f" That of a calibrated network would not exceed {calibrated:.3f} in 95 of 100 test sets of this size."
    beside = "" if np.isnan(calibrated) else beside
    yield (
        f"Expected calibration error {score_text(found['summary'].get('ece'))} in the results below: so far is the "
        f"probability of the predicted class from the share of correct answers, on average over 15 bins.{beside}"
    )
    units = results.cells["units"].iloc[0]
    yield (
        f"The 95 % intervals are for the choice of the {units} that were tested. They leave out the chance of "
        "training: the numbers are of one run, another seed would give others."
    )
    yield f"At inference: {escape(facts['adjustment'])}."


def _split_text(identity: dict[str, Any], split: pd.DataFrame) -> str:
    settings = {name: value for name, value in identity["split"].items() if value is not None}
    kind, group_by = settings.pop("kind"), settings.pop("group_by", None)
    given = ", ".join(f"{name} {value}" for name, value in settings.items())
    groups = split["group"][split["group"] != ""].nunique() if "group" in split else 0
    one = "photograph" if group_by == "duplicates" else group_by
    kept = f"images of one {one} on the same side" if one else "image by image"
    known = f"; {number_of(groups, 'group')} of images are known" if groups else ""
    return escape(f"Split: {kind}{f' ({given})' if given else ''}, {kept}{known}. Images of each class:")


def _split_table(split: pd.DataFrame, names: Sequence[str]) -> str:
    counts = pd.crosstab(split["class"], split["part"])
    parts = [part for part in PARTS if part in counts]
    counts = counts.reindex(index=names, columns=parts, fill_value=0)
    rows = [[name, *map(str, counts.loc[name])] for name in names]
    return _table(["class", *(PARTS[part] for part in parts)], [*rows, ["all", *map(str, counts.sum())]])


def _summary(results: Results, found: dict[str, Any]) -> str:
    rows = []
    for cell in results.cells.itertuples():
        score = results.spec.metrics[cell.metric]
        interval = calibrated_text(cell.calibrated, 3) or _interval(cell.low, cell.high)
        rows.append([score.title or cell.metric, score_text(found["summary"].get(score.score)), interval])
    return _table(["score", "value", "95 % interval"], rows + rows_once(results.groups_once))


def _classes(results: Results, found: dict[str, Any]) -> str:
    intervals = classes_of(results, results.spec.columns[0]).set_index("class")[["f1_low", "f1_high"]]
    rows = []
    for row in by_size(found["classes"]):
        scores = [score_text(row.get(score)) for score in OF_CLASS]
        rows.append([row["name"], str(row["train_images"]), str(row["images"]), *scores])
        rows[-1].append(_interval(*intervals.loc[row["name"]]))
    part = found["identity"]["part"]
    return _table(["class", "train images", f"{part} images", "precision", "recall", "F1", "95 % interval of F1"], rows)


def _confusions(found: dict[str, Any]) -> str:
    """The matrix; of many classes the most frequent confusions."""
    names, matrix = [row["name"] for row in found["classes"]], np.array(found["confusion"])
    if len(names) <= MANY_CLASSES:
        order = [names.index(row["name"]) for row in by_size(found["classes"])]
        rows = [[names[i], *map(str, matrix[i, order])] for i in order]
        return "Rows are true classes, columns predicted ones.\n\n" + _table(["", *(names[i] for i in order)], rows)
    np.fill_diagonal(matrix, 0)
    pairs = np.unravel_index(np.argsort(-matrix, axis=None, kind="stable")[:CONFUSIONS], matrix.shape)
    rows = [[names[i], names[j], str(matrix[i, j])] for i, j in zip(*pairs, strict=True) if matrix[i, j]]
    return f"The {CONFUSIONS} most frequent ones:\n\n" + _table(["true class", "predicted class", "images"], rows, 1)


def _interval(low: float, high: float) -> str:
    return interval_text(low, high, 3, "{} to {}")


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], numbers: int | None = None) -> str:
    """A table whose last columns, by default all but the first, are numbers."""
    numbers = len(heads) - 1 if numbers is None else numbers
    rule = ["---"] * (len(heads) - numbers) + ["---:"] * numbers
    body = [[escape(" ".join(cell.split())) for cell in row] for row in [heads, *rows]]
    return "\n".join(f"| {' | '.join(row)} |" for row in [body[0], rule, *body[1:]])
