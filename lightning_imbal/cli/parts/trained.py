"""A trained checkpoint: what it was trained with, and the configuration that was saved beside it."""

from pathlib import Path
from typing import Any

from lightning_imbal.cli.parts.absent import named_checkpoint
from lightning_imbal.command_line import given
from lightning_imbal.errors import UserError
from lightning_imbal.experiment_files import with_files_found
from lightning_imbal.modules.base_checkpoint import open_checkpoint
from lightning_imbal.runs.digests import check_checkpoint
from lightning_imbal.runs.folder import stage_of
from lightning_imbal.runs.stage import Stage


def saved_fact(ckpt_path: str, name: str) -> Any:
    """What a checkpoint was trained with, such as its class names: a test on other data must not change it.

    Raises:
        UserError: It is damaged, or no checkpoint of this program.
    """
    known = open_checkpoint(ckpt_path, ["state_dict", "hyper_parameters"])["hyper_parameters"]
    if name not in known:
        raise UserError(f"{ckpt_path} does not say its {name}, so it is that of another program: give one of `fit`.")
    return known[name]


def with_saved_config(verb: str, args: list[str]) -> list[str]:
    """Lays the configuration that was saved beside a checkpoint below the rest of a command line without its verb.

    Raises:
        UserError: There is no checkpoint, one without its configuration, or one that is not that of its folder.
    """
    if {"-h", "--help"} & set(args):
        return args
    ckpt_path = named_checkpoint(verb, args)
    # Last, because a configuration says where the run that it is of was resumed.
    args = [*args, "--ckpt_path", ckpt_path]
    open_checkpoint(ckpt_path)
    check_checkpoint(Path(ckpt_path))
    stage = Stage(stage_of(Path(ckpt_path)))
    if stage.config_file.is_file():
        stage.config()  # refuses a damaged one
        return ["--config", str(stage.config_file), *args]
    if given("config", with_files_found(args)) is None:
        raise UserError(
            f"There is no {stage.config_file}: give the configuration of the checkpoint's run with --config."
        )
    return args
