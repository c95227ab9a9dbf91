"""Predicts the validation part as a test predicts the test part: decisions are fitted on that."""

from lightning.pytorch import Trainer

from lightning_imbal.callbacks.results_writer import add_to_identity
from lightning_imbal.callbacks.test_features import SaveFeatures
from lightning_imbal.cli.parts.trained_images import chosen_by
from lightning_imbal.data.base import ImbalDataModule
from lightning_imbal.modules.base_classifier import ImbalClassifier


def predict_validation(trainer: Trainer, model: ImbalClassifier, data: ImbalDataModule, checkpoint: str) -> None:
    """Writes `predictions_val.parquet`, if there is a validation part; nothing is logged.

    Args:
        trainer: Its `ResultsWriter` writes.
        model: Predicts.
        data: Whose validation part is predicted.
        checkpoint: File of the weights.
    """
    if not len(data.rows("val")):
        return
    callbacks, loggers = trainer.callbacks, trainer.loggers  # type: ignore[attr-defined]  # set by Lightning
    trainer.callbacks = [each for each in callbacks if not isinstance(each, SaveFeatures)]  # type: ignore[attr-defined]
    trainer.loggers, data.tested = [], "val"
    try:
        trainer.test(model, datamodule=data, ckpt_path=checkpoint, verbose=False)
    finally:
        trainer.callbacks, trainer.loggers, data.tested = callbacks, loggers, "test"  # type: ignore[attr-defined]


def validate_kept(trainer: Trainer, model: ImbalClassifier, data: ImbalDataModule, checkpoint: str) -> None:
    """Evaluates a checkpoint on the validation part, whose scores become those of the run; nothing is logged.

    Args:
        trainer: Its `ResultsWriter` writes.
        model: Predicts.
        data: Whose validation part is predicted.
        checkpoint: File of the weights.
    """
    add_to_identity(trainer, chosen_by=chosen_by(checkpoint, model, data))
    trainer.loggers = []
    trainer.validate(model, datamodule=data, ckpt_path=checkpoint, verbose=False)
