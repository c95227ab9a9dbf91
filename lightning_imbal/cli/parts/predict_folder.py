"""Predictions for a folder of images, as a CSV."""

from pathlib import Path

import pandas as pd
import torch
from jsonargparse import Namespace
from lightning.pytorch import Trainer

from lightning_imbal.atomic_files import write_whole
from lightning_imbal.data.base import ImbalDataModule
from lightning_imbal.modules.base_classifier import ImbalClassifier


def folder_to_csv(trainer: Trainer, model: ImbalClassifier, data: ImbalDataModule, config: Namespace) -> None:
    """Writes one row per image: `file` below the folder, `predicted` class, one `probability/<class>` per class.

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
    batches = trainer.predict(model, datamodule=data, ckpt_path=config.ckpt_path)
    probability = torch.cat(batches)  # type: ignore[arg-type]  # a list of tensors, as there is one loader
    names = pd.Index(model.class_names)
    table = pd.DataFrame(probability.numpy(), columns="probability/" + names)
    table.insert(0, "file", [file.relative_to(Path(config.images).expanduser()).as_posix() for file in files])
    table.insert(1, "predicted", names[probability.argmax(dim=1).numpy()])
    write_whole(Path(config.output), lambda path: table.to_csv(path, index=False))
    print(f"{len(table)} predictions: {config.output}")
