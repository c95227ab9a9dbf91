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
from lightning_imbal.data.pictures.given import Picture
from lightning_imbal.errors import UserError
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
    if not isinstance(model.transforms, Transforms):
        raise UserError(
            f"How pictures are made ready for this {type(model).__name__} is not known: give one of `li.load`, or call "
            "trainer.predict(model, data) with a DataModule."
        )
    data, settings = model.transforms.data, model.transforms.trainer
    if model.predictor.needs_calibration and not model.transforms.data_is_known:
        raise UserError(
            f"{type(model.predictor).__name__} is fitted to the validation images, and a checkpoint alone does not "
            "know where they are: give the folder of its run."
        )
    if isinstance(images, str | Path):
        folder = Path(images).expanduser()
        names = [file.relative_to(folder).as_posix() for file in data.predict_folder(folder)]
    else:
        if not len(images):
            raise UserError("There are no images: give a folder, or a list of files or arrays.")
        data.predict_pictures(images)
        names = [str(each) if isinstance(each, str | Path) else str(place) for place, each in enumerate(images)]
    was_training = model.training
    with _quiet():
        quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
        accelerator = "cpu" if MPSAccelerator.is_available() else "auto"
        trainer = Trainer(accelerator=accelerator, devices=1, enable_checkpointing=False, **quiet, **settings)
        probability = predict_pictures(trainer, model, data, names)
    model.train(was_training)
    return answered(probability, "file")


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
