"""Predictions for a folder of images, as a CSV."""

from pathlib import Path

import pandas as pd
from jsonargparse import Namespace
from lightning.pytorch import Trainer

from lightning_imbal.atomic_files import write_whole
from lightning_imbal.callbacks.predictions import CollectPredictions
from lightning_imbal.data.base import ImbalDataModule
from lightning_imbal.data.look.group_pattern import EXAMPLE, known_groups
from lightning_imbal.errors import UserError
from lightning_imbal.modules.base_classifier import ImbalClassifier
from lightning_imbal.runs.pooling import pooled_probability
from lightning_imbal.runs.spreadsheet import to_csv


def folder_to_csv(trainer: Trainer, model: ImbalClassifier, data: ImbalDataModule, config: Namespace) -> None:
    """Writes one row per predicted image, in the order of the folder.

    The columns are `file` below the folder, `predicted` class, and one `probability/<class>` per class. Pooled, there
    is a row for each group of pictures: `group` and the number of its `images` instead of `file`.

    Args:
        trainer: Runs the prediction.
        model: Gets its weights from `config.ckpt_path`.
        data: Its test transform prepares the images.
        config: `images` (folder), `output` (CSV file), `ckpt_path` and `pool`.

    Raises:
        UserError: The folder holds no images, or nothing says which of them are to be pooled.
    """
    files = data.predict_folder(config.images)
    names = pd.Series([file.relative_to(Path(config.images).expanduser()).as_posix() for file in files])
    group = _groups(names, data) if config.pool else names
    data.cache = "none"  # which is of the data set, not of these images
    collect = CollectPredictions()
    trainer.callbacks.append(collect)  # type: ignore[attr-defined]  # Lightning sets it, but does not declare it
    trainer.predict(model, datamodule=data, ckpt_path=config.ckpt_path, return_predictions=False)
    if not trainer.is_global_zero:
        return
    row, classes = collect.found["index"].numpy(), pd.Index(model.class_names)
    table = pd.DataFrame(collect.found["probability"].float().numpy(), index=group.to_numpy()[row])
    images = table.groupby(level=0, sort=False).size().to_numpy()
    if config.pool:
        table = pooled_probability(table.to_numpy(), table.index, config.pool)
    answer = classes[table.to_numpy().argmax(axis=1)]
    table.columns = "probability/" + classes
    table.insert(0, "predicted", answer)
    if config.pool:
        table.insert(0, "images", images)
    table.insert(0, "group" if config.pool else "file", table.index)
    write_whole(Path(config.output), lambda path: to_csv(table, path))
    print(f"{len(table)} predictions: {config.output}")


def _groups(names: pd.Series, data: ImbalDataModule) -> pd.Series:
    """What each picture is pooled with; one that the pattern does not fit is by itself."""
    if data.group_pattern is None:
        raise UserError(
            "--pool must know which pictures belong together, but the data have no pattern of file names: set "
            f"--data.group_pattern (of FolderData and CSVData), such as {EXAMPLE}."
        )
    return known_groups(names, data.group_pattern).fillna(names)
