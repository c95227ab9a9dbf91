"""Refuses stored features for a second stage where the network that they must be of is yet to be trained."""

from collections.abc import Sequence
from pathlib import Path
from pkgutil import resolve_name

from jsonargparse import Namespace

from lightning_imbal.errors import UserError
from lightning_imbal.runs.folder import last_checkpoint


def check_stored_stage(folder: Path, stages: Sequence[Namespace]) -> None:
    """Refuses what could only fail when the first stage has ended.

    Args:
        folder: Of the run.
        stages: The configuration of every stage.

    Raises:
        UserError: Features are given to a later stage, and a first one trains its backbone that has not begun.
    """
    if last_checkpoint(folder / "stage1").is_file() or resolve_name(stages[0].model.class_path).freezes_backbone:
        return
    for config in stages[1:]:
        if features := config.data.init_args.get("features"):
            raise UserError(
                f"The first stage is yet to be trained, so that {features} cannot hold the features of its backbone: "
                "train it alone (--then null), store them with `lightning_imbal features RUN`, and train heads on "
                "them with --model.backbone_ckpt."
            )
