"""The Trainer of a stage, and of an evaluation: the checkpoints that it keeps, its loggers, what it writes."""

from pathlib import Path
from typing import Any

from jsonargparse import Namespace
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.callbacks import LearningRateMonitor, ModelCheckpoint
from lightning.pytorch.cli import SaveConfigCallback

from lightning_imbal.callbacks.class_panels import ClassF1Panels
from lightning_imbal.callbacks.results_writer import ResultsWriter
from lightning_imbal.callbacks.test_features import SaveFeatures
from lightning_imbal.cli.parts.messages import cause
from lightning_imbal.cli.parts.parser import ImbalCLI
from lightning_imbal.data.base import ImbalDataModule
from lightning_imbal.loggers.csv_file import csv_logger
from lightning_imbal.loggers.weights_and_biases import wandb_logger
from lightning_imbal.modules.base import ImbalModule
from lightning_imbal.runs.identity import split_digest


def stage_trainer(cli: ImbalCLI, config: Namespace, built: Namespace, folder: Path) -> Trainer:
    """The Trainer of a stage of `fit`.

    Args:
        cli: Has read the configuration.
        config: That of the stage.
        built: What it says, built.
        folder: Of the stage, below that of the run.
    """
    run, own = folder.parent, built.trainer
    # A stage without a classifier has no score to choose its epoch by, and keeps the last one.
    monitor = config.monitor if built.model.classifies else None
    callbacks = [
        *_chosen_callbacks(built),
        *checkpoints(folder / "checkpoints", monitor, config.monitor_mode),
        LearningRateMonitor(logging_interval="epoch"),
        ClassF1Panels(),
        ResultsWriter(run, identity(config, built.model, built.data, run.name)),
    ]
    if not own.fast_dev_run:
        callbacks.append(SaveConfigCallback(cli.parser, config, overwrite=True))
    outside = {"default_root_dir": folder, "logger": loggers(folder, run.name, own.logger), "callbacks": callbacks}
    return _trainer({**own, **outside})


def evaluation_trainer(config: Namespace, built: Namespace, results: Path | None, trained_images: int = 0) -> Trainer:
    """The Trainer of `validate`, `test` and `predict`, which logs nothing.

    Args:
        config: That of the evaluation.
        built: What it says, built.
        results: Folder of the results; None writes none.
        trained_images: How many of the evaluated images the checkpoint was trained on.
    """
    callbacks = _chosen_callbacks(built)
    if results is not None:
        about = identity(config, built.model, built.data, Path(config.run_dir).name, str(config.ckpt_path))
        callbacks.append(ResultsWriter(results, about | {"trained_images": trained_images}))
    return _trainer({**built.trainer, "logger": False, "callbacks": callbacks})


def checkpoints(folder: Path, monitor: str | None, mode: str) -> list[ModelCheckpoint]:
    """Keeps the best and the last epoch; without a monitored score they are the same file."""
    common = {"enable_version_counter": False}
    if monitor is None:
        return [ModelCheckpoint(folder, "best", save_last="link", **common)]
    best = ModelCheckpoint(folder, "best", monitor=monitor, mode=mode, **common)
    # With save_last=True, the first one would write the last epoch only if it is the best as well.
    return [best, ModelCheckpoint(folder, "last", **common)]


def kept_checkpoint(trainer: Trainer) -> str:
    """The checkpoint that is tested, and that a second stage starts from: that of the best epoch, or of the last."""
    return trainer.checkpoint_callback.best_model_path or trainer.checkpoint_callback.last_model_path


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


def identity(
    config: Namespace, model: ImbalModule, data: ImbalDataModule, name: str, ckpt_path: str | None = None
) -> dict[str, Any]:
    """What names the results of a run."""
    split = data.split
    return {
        "name": name,
        "method": type(model).__name__,
        "data": type(data).__name__,
        "split": {"kind": type(split).__name__, **vars(split), "group_by": data.group_by},
        "split_digest": split_digest(data.table),
        "seed": config.seed_everything,
        "checkpoint": ckpt_path,
    }


def _trainer(arguments: dict[str, Any]) -> Trainer:
    """Builds a Trainer; an argument that it refuses is the user's to mend."""
    try:
        return Trainer(**arguments)
    except ValueError as error:
        raise cause(error) from error


def _chosen_callbacks(built: Namespace) -> list[Callback]:
    chosen = built.trainer.callbacks or []
    callbacks = [*chosen] if isinstance(chosen, list) else [chosen]
    return callbacks + ([SaveFeatures()] if built.save_features else [])
