"""`lightning_imbal fit`: trains every stage of an experiment, then tests the last one."""

import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from jsonargparse import Namespace
from lightning.pytorch import Trainer
from lightning.pytorch.utilities import rank_zero_info

from lightning_imbal.callbacks.kept_epoch import kept_checkpoint
from lightning_imbal.callbacks.of_training import of_tests
from lightning_imbal.cli.parts import resuming, run_dir
from lightning_imbal.cli.parts.check import check_fit
from lightning_imbal.cli.parts.found import note_found
from lightning_imbal.cli.parts.laptop import laid
from lightning_imbal.cli.parts.next_step import next_step
from lightning_imbal.cli.parts.outlook import Work, about_images, about_stage, time_left, work_of
from lightning_imbal.cli.parts.own_data import with_images_found, with_protocol
from lightning_imbal.cli.parts.parser import PRINT_PLAN, ImbalCLI
from lightning_imbal.cli.parts.plan import show_plan
from lightning_imbal.cli.parts.seed import seed
from lightning_imbal.cli.parts.show import show_results
from lightning_imbal.cli.parts.stored_stage import check_stored_stage
from lightning_imbal.cli.parts.trained_images import count_trained
from lightning_imbal.cli.parts.trainer import stage_trainer
from lightning_imbal.cli.parts.tuned import stopping, tell_tuned
from lightning_imbal.cli.parts.validation import predict_validation, validate_kept
from lightning_imbal.cli.parts.weights import choose_normalization, choose_weights
from lightning_imbal.command_line import given_below
from lightning_imbal.data.base import ImbalDataModule
from lightning_imbal.data.checks import check_pictures, report_missing_classes
from lightning_imbal.experiment_files import with_files_found
from lightning_imbal.loggers.weights_and_biases import finish_wandb
from lightning_imbal.processes import was_restarted
from lightning_imbal.runs.digests import check_checkpoint
from lightning_imbal.runs.folder import is_finished, last_checkpoint


def run(args: list[str]) -> int:
    """Runs `fit` and returns the exit status."""
    cli = ImbalCLI("fit")
    options = with_files_found([option for option in args[1:] if option != PRINT_PLAN])
    run_dir.check_yaml(options)
    planned = PRINT_PLAN in args
    args = ["fit", *with_protocol(with_images_found(options))]
    whole = laid(cli, args[1:])
    if planned:
        show_plan(cli, options, whole, f"Plan of {run_dir.folder_of(whole)}: nothing is trained or written.")
        return 0
    first = cli.read(whole)
    first.laptop = bool(first.laptop)  # what is left open is decided now
    folder = run_dir.prepare(first)
    if was_restarted() and is_finished(folder):
        return 0
    stages = settled(cli, first, folder, args)
    checkpoint, data, trained, work = "", None, 0, list[Work]()
    scratch = TemporaryDirectory()  # gone with the run
    for number, config in enumerate(stages, start=1):
        stage = folder / f"stage{number}"
        built = build(cli, config, checkpoint, data)
        resuming.check_built(cli, stage, config, built)
        if number == 1:  # all stages are looked at now
            work = [*map(work_of, stages, check_fit(cli, built, stages))]
        report_missing_classes(built.data, data)
        if number == 1 and config.tuned:
            tell_tuned(stages, built.data)
        if not checkpoint and (backbone := config.model.init_args.get("backbone_ckpt")):
            check_checkpoint(Path(backbone))
            trained = count_trained(backbone, "test", built.data, config.allow_trained_images)
        if not config.trainer.fast_dev_run and built.data.features is None:  # which is to end at once
            check_pictures(built.data)
        tell(number, stages, built)
        tested = sum(len(built.data.rows(part)) for part in ("val", "test"))
        watching = [*time_left(work[number - 1], work[number:], tested), *stopping(folder, stages[number - 1 :])]
        trainer = stage_trainer(cli, config, built, stage, trained, watching)
        last = last_checkpoint(stage)
        begun = config.ckpt_path is not None and last.is_file()
        ckpt_path = last if begun else None
        trainer.fit(built.model, datamodule=built.data, ckpt_path=ckpt_path, weights_only=built.weights_only)
        checkpoint = unkept(trainer, scratch.name) if config.trainer.fast_dev_run else kept_checkpoint(trainer)
        data = built.data
    further = [] if built.data.lock_test else next_step(args[1:], folder, built.data)
    test(trainer, built, folder, further)
    finish_wandb()
    return 0


def settled(cli: ImbalCLI, first: Namespace, folder: Path, args: list[str]) -> list[Namespace]:
    """The configuration of every stage, in which nothing is left open, and which goes with what the folder holds.

    Args:
        cli: Has read the configuration.
        first: That of the first stage; it is changed.
        folder: Of the run.
        args: Command line of `fit`.
    """
    choose_weights(first, first.ckpt_path is not None and last_checkpoint(folder / "stage1").is_file())
    choose_normalization(first, folder / "stage1")
    run_dir.discard_halves(folder)
    if first.seed_everything is True:
        seed(first)  # draws the number of every stage
    stages = list(cli.stages(first))
    if len(stages) == 1 and (unused := given_below("then", args)):
        rank_zero_info(f"--then.{unused[0][0]} is for a second stage, and this run has none.")
    resuming.check_settings(cli, folder, stages)
    check_stored_stage(folder, stages)
    return stages


def tell(number: int, stages: Sequence[Namespace], built: Namespace) -> None:
    """Says what a stage is about to train, the first one also on what.

    Args:
        number: Of the stage, from 1.
        stages: The configurations of all.
        built: Its data and model.
    """
    told = [] if number > 1 else about_images(built.data)
    told += [about_stage(number, stages, built.model.whole_batches), *built.model.about_trained()]
    rank_zero_info("\n".join(told))


def unkept(trainer: Trainer, folder: str) -> str:
    """What a `fast_dev_run`, which keeps nothing, hands to the next stage: a checkpoint in a folder that goes away."""
    checkpoint = trainer.strategy.broadcast(os.path.join(folder, "fast_dev_run.ckpt"))
    trainer.save_checkpoint(checkpoint)
    return checkpoint


def build(cli: ImbalCLI, config: Namespace, checkpoint: str, data: ImbalDataModule | None) -> Namespace:
    """Seeds a stage and builds its data and model.

    Args:
        cli: Has read the configuration.
        config: That of the stage.
        checkpoint: What the stage before it has kept, empty if there is none.
        data: The data of that stage, whose pictures are decoded already.
    """
    if checkpoint:
        finish_wandb()  # each stage has a W&B run of its own
        if "backbone_ckpt" in config.model.init_args:
            config.model.init_args.backbone_ckpt = os.path.relpath(checkpoint)
    seed(config)
    built = cli.build(config)
    if data is not None:
        built.data.share_images(data)
    return built


def test(trainer: Trainer, built: Namespace, folder: Path, further: Sequence[str]) -> None:
    """Tests the epoch that was kept, and prints the table of its classes, and what to try next.

    Where the test part is locked, it is the validation part that is looked at.
    """
    dev_run = trainer.fast_dev_run  # type: ignore[attr-defined]  # Lightning sets it, but does not declare it
    if (built.data.lock_test or trainer.limit_test_batches) and not dev_run:
        trainer.callbacks = of_tests(trainer.callbacks)  # type: ignore[attr-defined]  # Lightning sets it
        note_found(trainer, folder)
        if built.data.lock_test:
            validate_kept(trainer, built.model, built.data, kept_checkpoint(trainer))
            show_results(folder, built.model)
            return
        predict_validation(trainer, built.model, built.data, kept_checkpoint(trainer))
        trainer.test(built.model, datamodule=built.data, ckpt_path=kept_checkpoint(trainer), verbose=False)
        show_results(folder, built.model, further)
