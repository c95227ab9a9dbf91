"""Looks at the user's images before the first run of `compare`: what cannot work, and what makes scores mean little."""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from jsonargparse import Namespace

from lightning_imbal.atomic_files import write_json
from lightning_imbal.cli.parts.messages import cause
from lightning_imbal.cli.parts.parser import ImbalCLI
from lightning_imbal.data.audit.audit import audit
from lightning_imbal.data.base import ImbalDataModule
from lightning_imbal.data.build import build_data
from lightning_imbal.data.checks import check_groups, groups_suspected, missing_in_folds, remember_pictures
from lightning_imbal.data.pictures.open import unreadable
from lightning_imbal.data.sample_table import count_images
from lightning_imbal.errors import UserError
from lightning_imbal.launch.job import Job
from lightning_imbal.report.audit import verdict
from lightning_imbal.runs.reading import check_keys, reading
from lightning_imbal.stats.caveats import few_test_images
from lightning_imbal.wording import number_of

MEND = (
    "Scores of such images are too good: remove the copies, or keep together what belongs together, with a column of "
    "the CSV file (--data.group_column), what the data set knows (--data.group_by), or what shows the same photograph "
    "(--data.group_by duplicates)."
)


@dataclass(frozen=True)
class Part:
    """The data of one split.

    Args:
        title: Its fold or seed.
        data: The images.
        monitor: Score that chooses the epoch.
    """

    title: str
    data: ImbalDataModule
    monitor: str | None


def read_parts(commands: dict[str, Sequence[str]]) -> list[Part]:
    """Builds the data of command lines of `fit` that are named by their fold or seed.

    Raises:
        UserError: An option is unknown, or a value is refused.
    """
    cli, parts = ImbalCLI("fit"), []
    for title, command in commands.items():
        try:
            config = cli.read(command[1:])
            data = build_data(config.data)
        except ValueError as error:
            raise cause(error) from error
        parts.append(Part(title, data, config.monitor))
    return parts


def count_classes(data: ImbalDataModule, folds: int | None) -> dict[str, int]:
    """Images of every class.

    Raises:
        UserError: A class has too few to be tested in every fold.
    """
    counts = count_images(data.index["label"], data.class_names)
    # Training, validation and test parts each need one; of two halves, one must still be cut in two.
    needed = 3 if folds is None else 4 if folds == 2 else folds
    for name, images in counts.items():
        if images < needed:
            where = "a training, a validation and a test part" if folds is None else f"{folds} folds"
            fewer = " or take fewer --folds," if folds is not None and folds > 3 else ""
            raise UserError(
                f"The class {name} has {number_of(images, 'image')}, too few for {where}: add images so that it has "
                f"{needed},{fewer} or leave the class out of the data."
            )
    return counts


def check(parts: Sequence[Part], runs: Path, pictures: bool = True) -> list[str]:
    """Refuses data on which methods cannot be compared.

    Args:
        parts: The splits.
        runs: Folder of the runs; its `compare.json` says which data they are of, and what their pictures showed.
        pictures: Whether to open every picture, and to write that file.

    Returns:
        Warnings, a sentence each: what leaks, what cannot be read and is left out, classes with few test images.

    Raises:
        UserError: There are runs on other data in the folder, a picture cannot be read, or a part lacks a class.
    """
    for part in parts[1:]:
        part.data.share_images(parts[0].data)
    for part in parts:
        _check_split(part)
    found = _same_data(parts[0].data, runs / "compare.json")
    counts = count_images(np.concatenate([part.data.labels_of("test") for part in parts]), parts[0].data.class_names)
    for name, images in counts.items():
        if not images:
            raise UserError(f"No image of the class {name} is in a test part: give --folds 5, or another split.")
    warnings = _looked_at(parts, runs / "compare.json", found) if pictures else []
    return [*warnings, *missing_in_folds(parts[0].data), *few_test_images(counts)]


def check_order(stages: Mapping[Job, Iterable[Namespace]], ordered: bool) -> None:
    """Refuses methods that take the classes for grades where they have no order; UserError names the first."""
    for job, of_job in stages.items():
        needing = [name for stage in of_job for name in _needing_order(stage.model.as_dict())]
        if needing and not ordered:
            raise UserError(
                f"{job.name}: {needing[0]} takes the classes for grades, but these have no order: leave the method "
                "out, or, if images of your own are grades, say so with --data.ordered true."
            )


def _needing_order(choice: Any) -> Iterator[str]:
    """The classes of a configuration, by their names, that take the classes of images for grades."""
    if isinstance(choice, dict):
        module, _, name = str(choice.get("class_path", "")).rpartition(".")
        if module and getattr(getattr(import_module(module), name), "needs_order", False):
            yield name
        for value in choice.values():
            yield from _needing_order(value)


def _check_split(part: Part) -> None:
    """Refuses a split that a run on it would refuse."""
    data = part.data
    check_groups(data)
    for name, images in count_images(data.labels_of("train"), data.class_names).items():
        if not images:
            raise UserError(f"No image of the class {name} is in the training part of {part.title}: add images of it.")
    if part.monitor and not len(data.rows("val")):
        raise UserError(
            f"The split has no validation part, on which the epoch with the best {part.monitor} is chosen: give it "
            "one with --data.split Holdout --data.split.val 0.1, or --folds 5."
        )


def _same_data(data: ImbalDataModule, record: Path) -> dict[str, Any]:
    """What is known of the data, refused if the folder's runs are on other data."""
    labels = json.dumps(data.class_names) + data.index.drop(columns="path", errors="ignore").to_csv(index=False)
    now = {"root": str(data.root.absolute()), "images": len(data.index), "labels": _digest(labels)}
    before = _recorded(record) if record.is_file() else {}
    if before and before["data"] != now:
        what = "other images, labels or groups" if before["data"]["root"] == now["root"] else before["data"]["root"]
        raise UserError(f"{record.parent} holds runs on {what}: give another folder, such as --runs {record.parent}_2.")
    return before | {"data": now}


def _recorded(record: Path) -> dict[str, Any]:
    """What an earlier `compare` has noted, refused if it is damaged."""
    with reading(record, "delete it, and the images are looked at again"):
        before = json.loads(record.read_text(encoding="utf-8"))
        check_keys(before, {"data": dict})
        check_keys(before["data"], {"root": str, "images": int, "labels": str})
        if "state" in before:
            check_keys(before, {"state": str, "warnings": list})
    return before


def _looked_at(parts: Sequence[Part], record: Path, found: dict[str, Any]) -> list[str]:
    """What an audit of the first split finds, remembered as long as no file and no split changes."""
    state = _digest(json.dumps([[part.data.table["part"].tolist() for part in parts], _files(parts[0].data)]))
    if found.get("state") != state:
        found |= {"state": state, "warnings": _audited(parts)}
    write_json(record, found)
    return found["warnings"]


def _audited(parts: Sequence[Part]) -> list[str]:
    data = parts[0].data
    known, suspected = (data.class_names, data.group_name), groups_suspected(data)
    report = audit(data.table, *known, cache_dir=data.cache_dir, suspected=suspected)
    if bad := report["unreadable"]:
        raise unreadable(len(bad), len(data.index), bad[0]["cause"])
    remember_pictures(data)  # so that no run opens them once more
    warnings = []
    if suspected := report["suspected_groups"]:
        warnings.append(
            f"{suspected['said'].capitalize()}, and {suspected['torn']} of them are in several parts of the split: if "
            f"that is right, keep them together with {suspected['option']}"
        )
    if report["leaks"]:
        where = " (in the first fold)" if len(parts) > 1 else ""
        warnings.append(f"{verdict(report).removesuffix('.')}{where}. {MEND}")
    if left_out := data.left_out:
        first = left_out[min(left_out)]
        warnings.append(f"{number_of(len(left_out), 'image')} left out that cannot be read. The first: {first}")
    return warnings


def _files(data: ImbalDataModule) -> list[tuple[int, int]]:
    """Size and time of change of every picture that is a file and there."""
    found = [os.stat(path) for path in data.index.get("path", []) if os.path.exists(path)]
    return [(file.st_size, file.st_mtime_ns) for file in found]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
