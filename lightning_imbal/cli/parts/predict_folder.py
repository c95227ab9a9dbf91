"""Predictions for a folder of images, as a CSV."""

from pathlib import Path

import pandas as pd
from jsonargparse import Namespace
from lightning.pytorch import Trainer

from lightning_imbal.atomic_files import write_whole
from lightning_imbal.callbacks.predictions import CollectPredictions
from lightning_imbal.data.base import ImbalDataModule
from lightning_imbal.modules.base_classifier import ImbalClassifier
from lightning_imbal.runs.spreadsheet import to_csv


def folder_to_csv(trainer: Trainer, model: ImbalClassifier, data: ImbalDataModule, config: Namespace) -> None:
    """Writes one row per predicted image, in the order of the folder.

    The columns are `file` below the folder, `predicted` class, and one `probability/<class>` per class.

    Args:
        trainer: Runs the prediction.
        model: Gets its weights from `config.ckpt_path`.
        data: Its test transform prepares the images.
        config: `images` (folder), `output` (CSV file) and `ckpt_path`.

    Raises:
        UserError: The folder holds no images.
    """
    files = data.predict_folder(config.images)
    data.cache = "none"  # which is of the data set, not of these images
    collect = CollectPredictions()
    trainer.callbacks.append(collect)  # type: ignore[attr-defined]  # Lightning sets it, but does not declare it
    trainer.predict(model, datamodule=data, ckpt_path=config.ckpt_path, return_predictions=False)
    if not trainer.is_global_zero:
        return
    probability, names = collect.found["probability"].float(), pd.Index(model.class_names)
    files = [files[row].relative_to(Path(config.images).expanduser()) for row in collect.found["index"].tolist()]
    table = pd.DataFrame(probability.numpy(), columns="probability/" + names)
    table.insert(0, "file", [file.as_posix() for file in files])
    table.insert(1, "predicted", names[probability.argmax(dim=1).numpy()])
    write_whole(Path(config.output), lambda path: to_csv(table, path))
    print(f"{len(table)} predictions: {config.output}")
