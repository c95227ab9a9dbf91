"""The Trainer of a stage, and of an evaluation: the checkpoints that it keeps, its loggers, what it writes."""

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from jsonargparse import Namespace
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.accelerators import CPUAccelerator, MPSAccelerator
from lightning.pytorch.callbacks import LearningRateMonitor, ModelPruning
from lightning.pytorch.cli import SaveConfigCallback
from lightning.pytorch.loggers.logger import DummyLogger, Logger
from lightning.pytorch.plugins.io import AsyncCheckpointIO, CheckpointIO
from lightning.pytorch.plugins.layer_sync import LayerSync

from lightning_imbal.atomic_files import write_whole
from lightning_imbal.callbacks.class_panels import ClassF1Panels
from lightning_imbal.callbacks.kept_epoch import KeptEpoch
from lightning_imbal.callbacks.of_training import ends_by_a_score, finds, of_resumed, of_tests
from lightning_imbal.callbacks.results_writer import ResultsWriter
from lightning_imbal.callbacks.terminal import terminal_callbacks
from lightning_imbal.callbacks.test_features import SaveFeatures
from lightning_imbal.cli.parts import ranks
from lightning_imbal.cli.parts.checkpoint_io import WholeCheckpoints
from lightning_imbal.cli.parts.messages import cause
from lightning_imbal.cli.parts.parser import ImbalCLI
from lightning_imbal.cli.parts.sync_batch_norm import TimmSyncBatchNorm
from lightning_imbal.contract import data_of
from lightning_imbal.data.base import ImbalDataModule
from lightning_imbal.errors import UserError
from lightning_imbal.experiment_files import read_yaml
from lightning_imbal.loggers.csv_file import csv_logger
from lightning_imbal.loggers.weights_and_biases import wandb_logger
from lightning_imbal.modules.base import ImbalModule
from lightning_imbal.runs.folder import last_checkpoint, stage_of
from lightning_imbal.runs.identity import listed, split_digest
from lightning_imbal.runs.lineage import lineage
from lightning_imbal.runs.title import named, title_of
from lightning_imbal.trained.settings import KEY, portable

HALF = ("16", "16-mixed", "16-true")


def stage_trainer(
    cli: ImbalCLI,
    config: Namespace,
    built: Namespace,
    folder: Path,
    trained_images: int = 0,
    watching: Iterable[Callback] = (),
) -> Trainer:
    """The Trainer of a stage of `fit`.

    Args:
        cli: Has read the configuration.
        config: That of the stage.
        built: What it says, built.
        folder: Of the stage, below that of the run.
        trained_images: How many of the test images the backbone that it begins with was trained on.
        watching: Callbacks that change nothing.
    """
    run, own, stages = folder.parent, built.trainer, lineage(config.as_dict(), folder, later=True)
    about = identity(config, built.model, built.data, run.name, trained_images, stages=stages)
    # A stage without a classifier has no score to choose its epoch by, and keeps the last one.
    monitor = config.monitor if built.model.classifies else None
    callbacks = [
        *(of_resumed(chosen_callbacks(built)) if last_checkpoint(folder).is_file() else chosen_callbacks(built)),
        LearningRateMonitor(logging_interval="epoch"),
        ClassF1Panels(),
        *watching,
        ResultsWriter(run, about),
    ]
    if not own.fast_dev_run:
        callbacks += checkpoints(folder / "checkpoints", monitor, config.monitor_mode)
        callbacks.append(SaveWholeConfig(cli.parser, config, save_to_log_dir=False))
    if any(isinstance(callback, ModelPruning) for callback in callbacks):
        built.model.to(memory_format=torch.contiguous_format)  # of which Lightning makes one vector
    # By default nothing of single steps is logged.
    own.log_every_n_steps = own.log_every_n_steps or 0
    logger = [DummyLogger()] if own.fast_dev_run else loggers(folder, run.name, own.logger, title_of(about))
    outside = {"default_root_dir": folder, "logger": logger, "callbacks": callbacks, "plugins": _plugins(own)}
    return build_trainer({**own, **outside})


class Meeting(Callback):
    """Lets the processes of a run know each other."""

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """They do from here on."""
        ranks.meet()


class SaveWholeConfig(SaveConfigCallback):
    """Writes `config.yaml` into the folder of a stage; it appears whole or not at all."""

    split = ""  # digest of the split, once it is known

    def save_config(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Writes what the stage was asked for; trained images are allowed once, not to whoever reads the file."""
        self._write(trainer, self.config.clone())

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Writes it again with the learning rate and the size of a batch that a callback of Lightning has found."""
        if not (trainer.is_global_zero and finds(trainer.callbacks)):  # type: ignore[attr-defined]  # Lightning sets it
            return
        config = self.config.clone()
        config.data.init_args.batch_size = data_of(trainer).batch_size
        if "init_args" in (config.model.init_args.get("optimizer") or {}):
            config.model.init_args.optimizer.init_args.lr = pl_module.lr
        self._write(trainer, config)

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Puts the same into each checkpoint, which can then be used alone on another machine, but no places."""
        file = Path(trainer.default_root_dir) / self.config_filename
        if file.is_file():  # of the process that writes
            self.split = self.split or split_digest(data_of(trainer).table)
            checkpoint[KEY] = portable(read_yaml(file), self.split)

    def _write(self, trainer: Trainer, config: Namespace) -> None:
        file = Path(trainer.default_root_dir) / self.config_filename
        config.pop("allow_trained_images", None)
        # It was validated when it was read.
        save = partial(self.parser.save, config, skip_unset=False, skip_validation=True, multifile=False)
        write_whole(file, save)


def evaluation_trainer(
    config: Namespace,
    built: Namespace,
    results: Path | None,
    trained_images: int = 0,
    chosen_by: dict[str, str] | None = None,
) -> Trainer:
    """The Trainer of `validate`, `test` and `predict`, which logs nothing.

    Args:
        config: That of the evaluation.
        built: What it says, built.
        results: Folder of the results; None writes none.
        trained_images: How many of the evaluated images the checkpoint was trained on.
        chosen_by: What it owes to scores of the evaluated images, and to which.
    """
    callbacks = of_tests(chosen_callbacks(built))
    if results is not None:
        name, checkpoint = Path(config.run_dir).name, str(config.ckpt_path)
        stages = lineage(config.as_dict(), stage_of(Path(checkpoint)))
        about = identity(config, built.model, built.data, name, trained_images, checkpoint, stages)
        callbacks.append(ResultsWriter(results, about | {"chosen_by": chosen_by or {}}, config.get("pool")))
    return build_trainer({**built.trainer, "logger": False, "callbacks": callbacks})


def checkpoints(folder: Path, monitor: str | None, mode: str) -> list[KeptEpoch]:
    """Keeps the best and the last epoch; without a monitored score they are the same file."""
    if monitor is None:
        return [KeptEpoch(folder, "best", save_last="link")]
    return [KeptEpoch(folder, "best", monitor, mode), KeptEpoch(folder, "last")]


def loggers(stage: Path, run: str, chosen: Any, title: str = "") -> list[Logger]:
    """The CSV file in the folder of a stage, and beside it what `trainer.logger` says: by default W&B.

    Args:
        stage: The folder; its name is that of the stage.
        run: Name of the run.
        chosen: `trainer.logger` of the configuration.
        title: What W&B calls the run; by default its name.
    """
    loggers: list[Logger | None] = [csv_logger(stage)]
    if chosen in (None, True):
        loggers.append(wandb_logger(stage, run, stage.name, title))
    elif chosen:
        loggers += chosen if isinstance(chosen, list) else [chosen]
    return [logger for logger in loggers if logger is not None]


def identity(
    config: Namespace,
    model: ImbalModule,
    data: ImbalDataModule,
    name: str,
    trained_images: int,
    ckpt_path: str | None = None,
    stages: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """What names the results of a run, whose network went through some stages."""
    split = data.split
    return {
        "name": name,
        "title": named(stages) | {"data": data.title},
        "method": type(model).__name__,
        "data": type(data).__name__,
        "ordered": data.ordered,
        "split": {"kind": type(split).__name__, **vars(split), "group_by": data.group_by},
        "split_digest": split_digest(data.table),
        "data_remarks": data.remarks,
        "seed": config.seed_everything,
        "checkpoint": ckpt_path,
        "trained_images": trained_images,
        **data.features_identity,
        **({"tuned": tuned} if (tuned := config.get("tuned")) else {}),
    }


def _plugins(own: Namespace) -> list[Any]:
    chosen = own.plugins
    plugins = [] if chosen is None else [*chosen] if isinstance(chosen, list) else [chosen]
    for plugin in plugins:
        if isinstance(plugin, AsyncCheckpointIO) and plugin.checkpoint_io is None:
            plugin.checkpoint_io = WholeCheckpoints()
    if own.sync_batchnorm and not any(isinstance(plugin, LayerSync) for plugin in plugins):
        plugins.append(TimmSyncBatchNorm())
    if not any(isinstance(plugin, CheckpointIO) for plugin in plugins):
        plugins.append(WholeCheckpoints())
    return plugins


def build_trainer(arguments: dict[str, Any]) -> Trainer:
    """Builds a Trainer; an argument that it refuses is the user's to mend."""
    try:
        accelerator = _accelerator(arguments["accelerator"])
        callbacks = [Meeting(), *(arguments["callbacks"] or []), *terminal_callbacks(arguments)]
        trainer = Trainer(**arguments | {"accelerator": accelerator, "callbacks": callbacks})
        # Lightning's would speak to other processes in the middle of a step, which they wait in for ever.
        trainer._signal_connector.register_signal_handlers = lambda: None  # type: ignore[method-assign]
    except (ValueError, TypeError) as error:
        raise cause(error) from error
    if str(precision := arguments.get("precision")) in HALF and isinstance(trainer.accelerator, CPUAccelerator):
        raise UserError(f"trainer.precision is {precision}, which needs a GPU: set trainer.precision=bf16-mixed.")
    if arguments.get("sync_batchnorm") and trainer.world_size > 1 and isinstance(trainer.accelerator, CPUAccelerator):
        raise UserError("trainer.sync_batchnorm needs GPUs: set it to false, or train on one device.")
    return trainer


def _accelerator(chosen: Any) -> Any:
    """What was chosen, but never the GPU of a Mac: it has no double precision, which class sizes are kept in."""
    if chosen in ("gpu", "mps") and MPSAccelerator.is_available():
        raise UserError(
            f"trainer.accelerator is {chosen}, but the GPU of a Mac has no double precision: set it to cpu."
        )
    return "cpu" if chosen == "auto" and MPSAccelerator.is_available() else chosen


def chosen_callbacks(built: Namespace) -> list[Callback]:
    """Those that the configuration asks for, without those that a stage has no use for, as `tell_unused` says."""
    callbacks = [*listed(built.trainer.callbacks)]
    callbacks = of_tests(callbacks) if built.model.closed_form else callbacks
    callbacks = [each for each in callbacks if built.model.classifies or not ends_by_a_score(each)]
    return callbacks + ([SaveFeatures()] if built.save_features else [])
