"""Which images of a part a checkpoint was trained on or chosen by: scores on them say little of new images."""

import filecmp
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from lightning.pytorch.utilities import rank_zero_info

from lightning_imbal.data.labelled_images import LabelledImages
from lightning_imbal.errors import UserError
from lightning_imbal.modules.base_checkpoint import open_checkpoint
from lightning_imbal.modules.base_classifier import ImbalClassifier
from lightning_imbal.runs.folder import best_checkpoint, stage_of, stages_in
from lightning_imbal.runs.identity import split_digest
from lightning_imbal.runs.stage import Stage
from lightning_imbal.trained.settings import SPLIT, own_settings


def count_trained(checkpoint: str, part: str, data: LabelledImages, allowed: bool) -> int:
    """Counts the images of a part that a checkpoint was trained on; of the test part, also those it was chosen by.

    Args:
        checkpoint: In the folder of a stage, whose `split.csv` is looked at, and those of the stages before it.
        part: That is about to be evaluated.
        data: With the split that it is evaluated with.
        allowed: Whether there may be any.

    Raises:
        UserError: There are some that may not be there.
    """
    rows = data.table.iloc[data.rows(part)]
    learned = {"train", "val"} - {part}
    trained: set[str] = set()
    for stage in _stages(Path(checkpoint)):
        trained |= _seen(stage, learned, rows, data)
    if _on_its_split(Path(checkpoint), data) is False:
        rank_zero_info(
            f"{checkpoint} lies alone and was trained with another split: whether it has learned from these images is "
            "not known."
        )
    if trained and not allowed:
        raise UserError(
            f"{checkpoint} has learned from {len(trained)} of the {len(rows)} {part} images (such as {min(trained)}): "
            "give the split that it was trained with, or --allow_trained_images true if you mean it."
        )
    return len(trained)


def _on_its_split(checkpoint: Path, data: LabelledImages) -> bool | None:
    """Whether a checkpoint that is alone says of itself that it was trained with this split; None of any other."""
    own = own_settings(checkpoint) if Stage(stage_of(checkpoint)).split() is None else None
    return None if own is None else own[SPLIT] == split_digest(data.table)


def chosen_by(checkpoint: str, model: ImbalClassifier, data: LabelledImages) -> dict[str, str]:
    """What a checkpoint owes to scores of images that are to validate it, and to which: `{"epoch": "val/f1"}`.

    Args:
        checkpoint: In the folder of a stage, whose `split.csv` is looked at, and those of the stages before it.
        model: What it is the weights of.
        data: With the validation part that is about to be evaluated.
    """
    rows, chosen = data.table.iloc[data.rows("val")], {}
    for number, stage in enumerate(_stages(Path(checkpoint))):
        alone = not number and _on_its_split(Path(checkpoint), data)
        if not (alone or _seen(stage, {"val"}, rows, data)):
            continue
        kept = best_checkpoint(stage.folder.parent, [stage.folder]) if number else Path(checkpoint)
        if score := _monitored(stage, kept):
            chosen["epoch of an earlier stage" if number else "epoch"] = score
        if not number:
            chosen |= model.chosen_on_validation()
    return chosen


def _monitored(stage: Stage, checkpoint: Path) -> str | None:
    """The validation score whose best epoch a checkpoint is, as the callback has noted in it that has written it."""
    if stage.config_file.is_file() and stage.config()["trainer"].get("max_epochs") == 1:
        return None  # there was nothing to choose from
    states = open_checkpoint(checkpoint).get("callbacks", {}).values() if checkpoint.is_file() else ()
    for state in states:
        if not isinstance(state, dict) or os.path.basename(state.get("best_model_path") or "") != checkpoint.name:
            continue
        if (score := str(state.get("monitor"))).startswith("val/"):
            return score
    return None


def _seen(stage: Stage, parts: set[str], rows: pd.DataFrame, data: LabelledImages) -> set[str]:
    """The images of some rows that were in some parts of the split of a stage, as far as it is known."""
    split = stage.split()
    if split is None:
        return set()
    seen = rows[rows["image"].astype(str).isin(split["image"][split["part"].isin(parts)])]
    return set(_same_pictures(seen, data.root, stage))


def _stages(checkpoint: Path) -> Iterator[Stage]:
    """The stage of a checkpoint, those before it, and those of the run whose backbone it began with, if known."""
    own = stage_of(checkpoint)
    for stage in (Stage(own), *(Stage(folder) for folder in stages_in(own.parent) if folder.name < own.name)):
        yield stage
        backbone = _arguments(stage, "model").get("backbone_ckpt")
        if backbone and Path(backbone).is_file() and stage_of(Path(backbone)).parent != own.parent:
            yield from _stages(Path(backbone))


def _arguments(stage: Stage, of: str) -> dict[str, Any]:
    """What the model or the data of a stage were built with; nothing if that was not kept."""
    return (stage.config()[of].get("init_args") or {}) if stage.config_file.is_file() else {}


def _same_pictures(rows: pd.DataFrame, root: Path, stage: Stage) -> Iterator[str]:
    """The names of images, without those that are known to be other pictures of the same name in another folder."""
    before = Path(_arguments(stage, "data").get("root") or root).expanduser()
    for row in rows.itertuples():
        path = Path(getattr(row, "path", ""))
        trained = before / path.relative_to(root) if path.is_relative_to(root) else path
        if trained == path or not (trained.is_file() and path.is_file()) or filecmp.cmp(trained, path, shallow=False):
            yield str(row.image)
