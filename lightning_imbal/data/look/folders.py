"""Looks at folders of classes."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from lightning_imbal.data.index.listing import pictures_in
from lightning_imbal.data.look.class_folders import class_files
from lightning_imbal.data.look.class_level import Level, class_levels
from lightning_imbal.data.look.companions import find_companions
from lightning_imbal.data.look.look import Look, Question
from lightning_imbal.data.look.right_root import no_classes, right_root
from lightning_imbal.data.look.selection import is_excluded
from lightning_imbal.data.splits.part_folders import find_parts

SPLIT_ANEW = {"class_path": "Holdout", "init_args": {"test": 0.2, "val": 0.1}}
HOLDOUT = "--data.split Holdout --data.split.test 0.2 --data.split.val 0.1"


def look_at_folders(root: Path) -> Look:
    """Finds the folder that holds the classes, its parts, and the level of the classes.

    Raises:
        UserError: There are no classes, or parts whose names are unclear.
    """
    other = right_root(root)
    place = other if other is not None and other.is_relative_to(root) else root
    masks = find_companions(pd.DataFrame({"file": pictures_in(place), "label": ""}), place, opened=True)
    exclude = [each.pattern for each in masks]
    found = _levels(place, exclude)
    if not found:
        raise no_classes(root)
    look = Look("FolderData", {"root": str(place)}, "one folder per class")
    if place != root:
        look.reasons["root"] = f"the folders of the classes lie deeper than {root}"
    if masks:
        look.set("exclude", exclude, f"pictures of two values, such as {masks[0].files[0]}, are masks")
    parts = find_parts(place)
    without = [folder.name for part, folder in parts.items() if part not in found]
    if without and set(found) == {"train"}:
        look.set("root", str(parts["train"]), f"{', '.join(without)} beside it has no folders of classes")
        parts = {}
    elif parts and "test" not in found:
        names = " and ".join(folder.name for folder in parts.values())
        look.set("split", SPLIT_ANEW, f"there are {names}, and nothing to test on")
        look.questions.append(
            Question(f"There are {names}, and no folder to test on: split all anew?", (HOLDOUT,), True)
        )
    elif parts:
        look.reasons["split"] = f"of the folders {', '.join(folder.name for folder in parts.values())}"
    _choose_level(look, next(iter(found.values())))
    return look


def _levels(root: Path, exclude: Sequence[str]) -> dict[str, list[Level]]:
    """The levels that may be the classes by part, of the parts that have any; without parts the key is empty."""
    parts = find_parts(root) or {"": root}
    files = {part: pd.Series(class_files(place)[0], dtype=object) for part, place in parts.items()}
    found = {part: class_levels(names[~is_excluded(names, exclude)].tolist()) for part, names in files.items()}
    return {part: levels for part, levels in found.items() if levels}


def _choose_level(look: Look, levels: list[Level]) -> None:
    chosen, *others = levels
    if chosen.number != 1:
        reason = f"the {chosen.number}. folder of a path, such as {chosen.names[0]}, is that of the class"
        look.set("class_level", chosen.number, reason)
    for level in others:
        question = f"Are the classes {_some(chosen)}, or {_some(level)}?"
        options = tuple(f"--data.class_level {each.number}" for each in (chosen, level))
        look.questions.append(Question(question, options, unanswered=True))


def _some(level: Level) -> str:
    shown = ", ".join(level.names[:3])
    return f"{shown}, ... ({len(level.names)})" if len(level.names) > 3 else shown
