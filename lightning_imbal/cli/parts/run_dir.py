"""Where a run writes, and what is refused so that no earlier run is lost."""

import os
from collections.abc import Iterable
from pathlib import Path

from jsonargparse import Namespace
from lightning.pytorch.utilities import rank_zero_info

from lightning_imbal import atomic_files
from lightning_imbal.cli.parts.absent import refuse_to_fit_from
from lightning_imbal.command_line import SLOTS, all_given, given, last_setting, parse_options
from lightning_imbal.errors import UserError
from lightning_imbal.experiment_files import read_yaml
from lightning_imbal.processes import is_first, was_restarted
from lightning_imbal.runs.folder import first_free, holds_run, is_finished, stage_of


def check_yaml(args: list[str]) -> None:
    """Refuses a --config that is not YAML, or has a key twice, by its name; also the files that stand in its slots.

    Raises:
        UserError: A file cannot be parsed; the message says where.
    """
    files = [Path(name) for option in ("config", *SLOTS) for name in all_given(option, args)]
    for file in filter(Path.is_file, files):
        content = read_yaml(file)
        slots = [content.get(slot) for slot in SLOTS] if isinstance(content, dict) else []
        for below in [file.parent / slot for slot in slots if isinstance(slot, str)]:
            if below.is_file():
                read_yaml(below)


def prepare(config: Namespace) -> Path:
    """Chooses the folder of a run, and refuses one that holds another run.

    A job that SLURM starts again goes on with its own.

    Raises:
        UserError: The folder is taken and the run is not resumed, or `ckpt_path` is a file.
    """
    refuse_to_fit_from(config.ckpt_path)
    if config.run_dir is None:
        config.run_dir = str(_named_after(config.get("config") or []))
    run = Path(config.run_dir)
    atomic_files.refuse_unwritable("--run_dir", config.run_dir, folder=True)
    # Each process looks: nothing is written before all have come together.
    if config.ckpt_path is None and holds_run(run):
        if goes_on(None, run):
            config.ckpt_path = "last"
            rank_zero_info(
                f"SLURM has started this job again: {run} {'is finished' if is_finished(run) else 'goes on'}."
            )
            return run
        raise UserError(
            f"{run} already holds a run: continue it with --ckpt_path last, or write elsewhere, "
            f"such as --run_dir {first_free(run)}."
        )
    return run


def folder_of(args: list[str]) -> Path:
    """The folder of the run of a command line of `fit`, as `prepare` chooses it."""
    configs = [value for name, value in parse_options(args) if name == "config"]
    return Path(last_setting(args, "run_dir") or _named_after(configs))


def _named_after(configs: Iterable[object]) -> Path:
    return Path("runs", "-".join(Path(str(name)).stem for name in configs) or "run")


def goes_on(ckpt_path: str | None, run: Path) -> bool:
    """Whether a run is continued: it was asked for, or SLURM has started the job again that had begun it."""
    return ckpt_path is not None or (was_restarted() and holds_run(run))


def discard_halves(run: Path) -> None:
    """Removes what an earlier start of a run, that was killed, has left half written in its folders."""
    if not is_first():
        return
    for folder in (run, *run.glob("*/"), *run.glob("stage*/checkpoints/")):
        atomic_files.discard_halves(folder)


def for_results(config: Namespace, args: list[str], subcommand: str) -> Path:
    """Where `test` and `validate` write: the given --run_dir, else a new folder inside the checkpoint's run.

    Raises:
        UserError: The given folder already holds results.
    """
    chosen = given("run_dir", args)
    if chosen is None:
        checkpoint = Path(config.ckpt_path)
        stage = stage_of(checkpoint)
        run = stage.parent if stage.name.startswith("stage") else stage
        return first_free((run if checkpoint.is_absolute() else Path(os.path.relpath(run))) / subcommand)
    refuse_taken(chosen)
    return Path(chosen)


def refuse_taken(chosen: str) -> None:
    """Refuses a --run_dir that cannot be written, or already holds results.

    Raises:
        UserError: The message names another folder.
    """
    atomic_files.refuse_unwritable("--run_dir", chosen, folder=True)
    if is_finished(Path(chosen)):
        raise UserError(f"{chosen} already holds results: give another --run_dir, such as {first_free(Path(chosen))}.")
