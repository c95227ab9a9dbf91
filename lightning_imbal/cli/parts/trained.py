"""A trained checkpoint: what it was trained with, and the configuration that was saved beside it."""

from pathlib import Path
from typing import Any

import torch

from lightning_imbal.command_line import given
from lightning_imbal.errors import UserError
from lightning_imbal.experiment_files import with_files_found
from lightning_imbal.runs.stage import Stage


def saved_fact(ckpt_path: str, name: str) -> Any:
    """What a checkpoint was trained with, such as its class names: a test on other data must not change it."""
    return torch.load(ckpt_path, map_location="cpu", weights_only=True, mmap=True)["hyper_parameters"][name]


def with_saved_config(verb: str, args: list[str]) -> list[str]:
    """Lays the configuration that was saved beside a checkpoint below the rest of a command line without its verb.

    Raises:
        UserError: There is no checkpoint, or one without its configuration.
    """
    if {"-h", "--help"} & set(args):
        return args
    ckpt_path = given("ckpt_path", args)
    if ckpt_path is None or not Path(ckpt_path).is_file():
        what = "no checkpoint was given" if ckpt_path is None else f"{ckpt_path} is no file"
        example = "--ckpt_path runs/NAME/stage1/checkpoints/best.ckpt"
        raise UserError(f"`{verb}` needs a trained checkpoint, but {what}: give one with {example}.")
    config = Stage(Path(ckpt_path).absolute().parents[1]).config_file
    if config.is_file():
        return ["--config", str(config), *args]
    if given("config", with_files_found(args)) is None:
        raise UserError(f"There is no {config} beside the checkpoint: give the run's configuration with --config.")
    return args
