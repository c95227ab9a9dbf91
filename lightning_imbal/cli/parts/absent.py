"""Refuses a checkpoint that a command line names and that is not there, or is not for this verb; nothing heavy."""

from collections.abc import Sequence
from pathlib import Path

from lightning_imbal.command_line import given
from lightning_imbal.errors import UserError
from lightning_imbal.experiment_files import beside


def named_checkpoint(verb: str, args: Sequence[str]) -> str:
    """The checkpoint that `test` and its like are given.

    Raises:
        UserError: There is none.
    """
    ckpt_path = given("ckpt_path", [*args])
    if ckpt_path is None or not Path(ckpt_path).is_file():
        what = "no checkpoint was given" if ckpt_path is None else f"{ckpt_path} is no file"
        meant = beside(ckpt_path) if ckpt_path else ""
        mend = meant or "give one with --ckpt_path runs/NAME/stage1/checkpoints/best.ckpt."
        raise UserError(f"`{verb}` needs a trained checkpoint, but {what}: {mend}")
    return ckpt_path


def refuse_to_fit_from(ckpt_path: str | None) -> None:
    """Refuses anything but the last epoch of the run itself for `fit` to go on from.

    Raises:
        UserError: It is a file.
    """
    if ckpt_path not in (None, "null", "last"):
        raise UserError(
            f"`fit` continues a run with --ckpt_path last, it does not take the file {ckpt_path}: to start from "
            "its weights, train a FrozenHead with --model.backbone_ckpt."
        )
