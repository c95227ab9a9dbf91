"""`li.predict`: pictures without labels, as a table."""

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
from lightning.pytorch import Trainer
from lightning.pytorch.accelerators import MPSAccelerator

from lightning_imbal.api.load import load
from lightning_imbal.contract import data_of
from lightning_imbal.data.base import ImbalDataModule
from lightning_imbal.data.pictures.given import Picture
from lightning_imbal.errors import BadImageError, UserError
from lightning_imbal.modules.base_classifier import ImbalClassifier
from lightning_imbal.trained.pictures import answered, predict_pictures
from lightning_imbal.trained.transforms import Transforms

OF_LIBRARIES = (
    r"The '\w+_dataloader' does not have many workers",
    r".*isinstance\(treespec, LeafSpec\).*",
)


def predict(
    run_or_checkpoint_or_model: str | Path | ImbalClassifier, images: str | Path | Sequence[Picture]
) -> pd.DataFrame:
    """Classifies pictures, as `lightning_imbal predict` does.

    Args:
        run_or_checkpoint_or_model: As for `load`, or what that has returned.
        images: A folder, searched below too; or a list of files, of arrays (uint8, RGB (H, W, 3) or grey (H, W)) or of
            pictures of Pillow.

    Returns:
        A row for each picture, in their order: `file` (below the folder, as it was given, or the number of what is no
        file), `predicted` and a `probability/<class>` for each class.

    Raises:
        UserError: As for `load`; or there are no pictures, or one cannot be read.
    """
    given = run_or_checkpoint_or_model
    model = given if isinstance(given, ImbalClassifier) else load(given)
    transforms = model.transforms or _of_trainer(model)
    if not isinstance(transforms, Transforms):
        raise UserError(
            f"How pictures are made ready for this {type(model).__name__} is not known: give one of `li.load`, or call "
            "trainer.predict(model, data) with a DataModule."
        )
    if model.predictor.needs_calibration and not transforms.data_is_known:
        raise UserError(
            f"{type(model.predictor).__name__} is fitted to the validation images, and a checkpoint alone does not "
            "know where they are: give the folder of its run."
        )
    was_training, data = model.training, transforms.data
    predicted, cache = data.predicted, data.cache
    try:
        names = _give(data, images)
        with _quiet():
            probability = predict_pictures(_trainer(transforms), model, data, names)
    except BadImageError as error:  # of a process of the loader, with its traceback
        raise BadImageError(str(error).strip().splitlines()[-1].rpartition("BadImageError: ")[2]) from error
    finally:
        data.predicted, data.cache = predicted, cache
        model.train(was_training)
    return answered(probability, "file")


def _give(data: ImbalDataModule, images: str | Path | Sequence[Picture]) -> list[str]:
    """Makes pictures what is predicted; returns their names."""
    if isinstance(images, str | Path):
        folder = Path(images).expanduser()
        return [file.relative_to(folder).as_posix() for file in data.predict_folder(folder)]
    if not len(images):
        raise UserError("There are no images: give a folder, or a list of files or arrays.")
    data.predict_pictures(images)
    return [str(each) if isinstance(each, str | Path) else str(place) for place, each in enumerate(images)]


def _of_trainer(model: ImbalClassifier) -> Transforms | None:
    """How pictures are made ready for a model that was just trained or tested on a DataModule."""
    data = data_of(model._trainer) if model._trainer else None
    return Transforms(data, {}, True) if isinstance(data, ImbalDataModule) else None


def _trainer(transforms: Transforms) -> Trainer:
    return Trainer(
        accelerator="cpu" if MPSAccelerator.is_available() else "auto",  # it has no double precision
        devices=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **transforms.trainer,
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Lightning neither says which devices there are, nor advises on workers."""
    logger = logging.getLogger("lightning.pytorch.utilities.rank_zero")
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            for message in OF_LIBRARIES:
                warnings.filterwarnings("ignore", message=message)
            yield
    finally:
        logger.setLevel(level)
