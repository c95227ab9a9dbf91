"""What is looked at before a stage goes on from its checkpoints."""

from pathlib import Path

from jsonargparse import Namespace

from lightning_imbal.modules.base import ImbalModule
from lightning_imbal.modules.base_checkpoint import load_weights, open_checkpoint

OF_TRAINING = ("epoch", "global_step", "loops", "callbacks", "optimizer_states", "lr_schedulers")


def check_checkpoints(stage: Path, config: Namespace, model: ImbalModule) -> None:
    """Refuses to go on with a stage one of whose checkpoints cannot be used.

    Args:
        stage: Its folder.
        config: Its configuration.
        model: As it is built; gets weights, which are replaced when the stage goes on.

    Raises:
        UserError: A checkpoint is damaged or that of another network.
    """
    folder = stage / "checkpoints"
    if config.ckpt_path is None:
        return
    mend = f"copy it again from where it is whole, or delete the folder {folder}, and the stage is trained anew"
    for file in sorted(folder.glob("*.ckpt")):
        load_weights(model, file, mend)
        open_checkpoint(file, OF_TRAINING, mend)
