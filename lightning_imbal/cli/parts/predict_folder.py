"""Predictions for a folder of images, as a CSV."""

from pathlib import Path

import pandas as pd
from jsonargparse import Namespace
from lightning.pytorch import Trainer

from lightning_imbal.atomic_files import write_whole
from lightning_imbal.data.base import ImbalDataModule
from lightning_imbal.data.index.dicom_headers import dicom_groups
from lightning_imbal.data.look.group_pattern import EXAMPLE, known_groups
from lightning_imbal.decisions.file import StoredDecision
from lightning_imbal.errors import UserError
from lightning_imbal.modules.base_classifier import ImbalClassifier
from lightning_imbal.runs.pooling import pooled_probability
from lightning_imbal.runs.spreadsheet import to_csv
from lightning_imbal.trained.pictures import answered, predict_pictures


def folder_to_csv(
    trainer: Trainer,
    model: ImbalClassifier,
    data: ImbalDataModule,
    config: Namespace,
    stored: StoredDecision | None = None,
) -> None:
    """Writes one row per predicted image, in the order of the folder.

    The columns are `file` below the folder, `predicted` class, and one `probability/<class>` per class. Pooled, there
    is a row for each group of pictures: `group` and the number of its `images` instead of `file`.

    Args:
        trainer: Runs the prediction.
        model: Gets its weights from `config.ckpt_path`.
        data: Its test transform prepares the images.
        config: `images` (folder), `output` (CSV file), `ckpt_path` and `pool`.
        stored: What answers; by default the class with the largest probability.

    Raises:
        UserError: The folder holds no images, or nothing says which of them are to be pooled.
    """
    files = data.predict_folder(config.images)
    names = pd.Series([file.relative_to(Path(config.images).expanduser()).as_posix() for file in files])
    group = _groups(names, pd.Series([str(file) for file in files]), data) if config.pool else names
    probability = predict_pictures(trainer, model, data, group.tolist(), config.ckpt_path)
    if not trainer.is_global_zero:
        return
    images = probability.groupby(level=0, sort=False).size().to_numpy()
    if config.pool:
        pooled = pooled_probability(probability.to_numpy(), probability.index, config.pool)
        probability = pooled.set_axis(probability.columns, axis=1)
    table = answered(probability, "group" if config.pool else "file", stored.decision if stored else None)
    if config.pool:
        table.insert(1, "images", images)
    write_whole(Path(config.output), lambda path: to_csv(table, path))
    if stored:
        print(f"Answered by {config.decision}: {stored.rule}, {(table['predicted'] == '').sum()} without an answer.")
    print(f"{len(table)} predictions: {config.output}")


def _groups(names: pd.Series, paths: pd.Series, data: ImbalDataModule) -> pd.Series:
    """What each picture is pooled with; one whose name or header does not tell is by itself."""
    if data.dicom_group is not None:
        return dicom_groups(paths, data.dicom_group).fillna(names)
    if data.group_pattern is None:
        raise UserError(
            "--pool must know which pictures belong together, but the data have no pattern of file names: set "
            f"--data.group_pattern (of FolderData and CSVData), such as {EXAMPLE}, or for DICOM --data.dicom_group."
        )
    return known_groups(names, data.group_pattern).fillna(names)
