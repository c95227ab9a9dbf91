"""Looks the user's own images over: how they can be read, what they are, and what is unclear about them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lightning_imbal.cli.parts.quiet import overheard
from lightning_imbal.data.build import build_data
from lightning_imbal.data.look.companions import find_companions
from lightning_imbal.data.look.folders import HOLDOUT
from lightning_imbal.data.look.group_guesses import guess_groups
from lightning_imbal.data.look.header_groups import with_headers
from lightning_imbal.data.look.look import Look, Question
from lightning_imbal.data.look.look_at import look_at
from lightning_imbal.data.pictures.picture_format import picture_format
from lightning_imbal.data.sample_table import count_images
from lightning_imbal.data.sets.own_images import OwnImages
from lightning_imbal.data.splits.groups import torn_groups
from lightning_imbal.wording import number_of

OPENED = 100  # pictures whose headers are read
FEWEST = 3  # images of a class that training, validation and test parts need


@dataclass
class Survey:
    """What was found.

    Args:
        look: How the images are read.
        data: The images, read so.
        told: What the data module says of them.
    """

    look: Look
    data: OwnImages
    told: list[str]

    def report(self) -> dict[str, Any]:
        """What `report.survey` shows, plain enough for JSON."""
        look, data = self.look, self.data
        sizes, modes = _formats(data.index["path"])
        return {
            "data": look.data,
            "layout": look.layout,
            "settings": look.settings,
            "reasons": {name: reason for name, reason in look.reasons.items() if name in look.settings},
            "classes": count_images(data.index["label"], data.class_names),
            "sizes": sizes,
            "modes": modes,
            "split": _split(look, data),
            "told": self.told,
            "questions": [{"text": each.text, "options": list(each.options)} for each in look.questions],
        }


def survey(path: Path, given: Mapping[str, Any]) -> Survey:
    """Looks at a folder, a label file, or both.

    Args:
        path: The folder, or the file.
        given: Settings of the data module that the user has chosen; they answer questions.

    Raises:
        UserError: The images cannot be read; the message says why, and the mend.
    """
    labels, label = given.get("labels"), given.get("label_column")
    look = look_at(path, _file(labels, path) if labels else None, label if isinstance(label, str) else None)
    look.settings |= given
    look.questions = [question for question in look.questions if not _answered(question, given)]
    with overheard() as told:
        data = _build(look, {} if "exclude" in given else {"exclude": []})
        if "exclude" not in given:
            _leave_companions_out(look, data)
        if "exclude" in {*look.settings} - {*given}:
            told.clear()
            data = _build(look, {})
        _ = data.index
        rows = data.selected[0].reset_index(drop=True)
        if not {"group_pattern", "group_column", "dicom_group"} & {*given}:
            guesses = guess_groups(rows["file"], rows["label"], data.unused_columns())
            look.guesses = with_headers(guesses, rows["path"])
    _ask_of_groups(look, rows)
    _ask_of_rare_classes(look, count_images(data.index["label"], data.class_names))
    return Survey(look, data, [*dict.fromkeys(told)])


def keep_together(look: Look) -> None:
    """Makes the likeliest guess of what belongs together a setting, unless a split that was found tears it."""
    guess = next(iter(look.guesses), None)
    if guess and not any(guess.told() in option for question in look.questions for option in question.options):
        named = f"; their {guess.option[1]} is then in the split.csv of every run" * (guess.option[0] == "dicom_group")
        look.set(guess.option[0], guess.option[1], guess.said() + named)


def _leave_companions_out(look: Look, data: OwnImages) -> None:
    """Adds the patterns of pictures that belong to others to those that are known, with the reason."""
    if companions := find_companions(data.selected[0], data.root):
        number = sum(len(each.files) for each in companions)
        reason = f"{number_of(number, 'picture')} that look like masks of others, such as {companions[0].files[0]}"
        patterns = [*look.settings.get("exclude", []), *(each.pattern for each in companions)]
        look.set("exclude", [*dict.fromkeys(patterns)], reason)


def _build(look: Look, settings: dict[str, Any]) -> OwnImages:
    data = build_data({"class_path": look.data, "init_args": look.settings | settings})
    assert isinstance(data, OwnImages)
    return data


def _file(labels: str, path: Path) -> Path:
    return Path(labels) if Path(labels).is_file() else path / labels


def _answered(question: Question, given: Mapping[str, Any]) -> bool:
    return any(option.split()[0].removeprefix("--data.") in given for option in question.options)


def _ask_of_groups(look: Look, rows: pd.DataFrame) -> None:
    """Asks whether the split that was found is to be kept, where it tears what may belong together."""
    if look.guesses and "official" in rows and "split" not in look.settings:
        guess = look.guesses[0]
        group = guess.groups.fillna(rows["file"]).to_numpy()
        if torn := len(torn_groups(rows["official"], group)):
            question = (
                f"{guess.said()}, and {torn} of them are in several parts of the split that is there: is that one "
                f"{guess.word}? Then split anew."
            )
            look.questions.append(Question(question, (f"{HOLDOUT} {guess.told()}",)))


def _ask_of_rare_classes(look: Look, counts: Mapping[str, int]) -> None:
    if rare := [f"{name} ({images})" for name, images in counts.items() if images < FEWEST]:
        question = f"Too few images for three parts: {', '.join(rare)}. Leave them out, or join them to another class?"
        merge = "--data.merge '{NAME: [ONE, OTHER]}'"
        look.questions.append(Question(question, (f"--data.min_images {FEWEST}", merge), unanswered=True))


def _split(look: Look, data: OwnImages) -> str:
    """How the images are divided."""
    if reason := look.reasons.get("split"):
        return reason
    if column := look.settings.get("split_column"):
        return f"of the column {column!r}"
    of_setting = next((guess.word for guess in look.guesses if guess.option[0] in look.settings), data.group_name)
    together = f"{of_setting}s kept together" if of_setting else "no group was found: image by image"
    return f"none is there, so a stratified one of 7:1:2, {together}"


def _formats(paths: pd.Series) -> tuple[dict[str, int], dict[str, int]]:
    """How many of some pictures, spread over all, have each size and each mode."""
    some = paths.iloc[np.linspace(0, len(paths) - 1, min(OPENED, len(paths))).astype(int)]
    found = pd.DataFrame([picture_format(path) for path in some], columns=["size", "mode"])
    return found["size"].dropna().value_counts().to_dict(), found["mode"].fillna("unreadable").value_counts().to_dict()
