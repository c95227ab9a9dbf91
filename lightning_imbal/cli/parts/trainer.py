"""What the Trainer of a stage is given: the checkpoints that it keeps, and the loggers."""

from pathlib import Path
from typing import Any

from lightning.pytorch.callbacks import ModelCheckpoint

from lightning_imbal.loggers.csv_file import csv_logger
from lightning_imbal.loggers.weights_and_biases import wandb_logger


def checkpoints(folder: Path, monitor: str | None, mode: str) -> list[ModelCheckpoint]:
    """Keeps the best and the last epoch; without a monitored score they are the same file."""
    common = {"enable_version_counter": False}
    if monitor is None:
        return [ModelCheckpoint(folder, "best", save_last="link", **common)]
    best = ModelCheckpoint(folder, "best", monitor=monitor, mode=mode, **common)
    # With save_last=True, the first one would write the last epoch only if it is the best as well.
    return [best, ModelCheckpoint(folder, "last", **common)]


def loggers(stage: Path, run: str, chosen: Any) -> list[Any]:
    """The CSV file in the folder of a stage, and beside it what `trainer.logger` says: by default W&B.

    Args:
        stage: The folder; its name is that of the stage.
        run: Name of the run.
        chosen: `trainer.logger` of the configuration.
    """
    loggers = [csv_logger(stage)]
    if chosen in (None, True):
        loggers.append(wandb_logger(stage, run, stage.name))
    elif chosen:
        loggers += chosen if isinstance(chosen, list) else [chosen]
    return [logger for logger in loggers if logger is not None]
