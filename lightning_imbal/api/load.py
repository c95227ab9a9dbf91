"""`li.load`: the network of a run or of a checkpoint."""

from pathlib import Path

from lightning_imbal.errors import UserError
from lightning_imbal.modules.base_classifier import ImbalClassifier
from lightning_imbal.runs.digests import check_checkpoint
from lightning_imbal.runs.folder import best_checkpoint, stages_of
from lightning_imbal.trained.network import load_network


def load(run_or_checkpoint: str | Path) -> ImbalClassifier:
    """Loads a trained classifier, as `lightning_imbal predict` does.

    No image of the training is needed, and no code that a checkpoint may hold is run. A class of your own, such as
    `my_losses.MyLoss`, is looked for in the working folder and where Python looks for modules.

    Args:
        run_or_checkpoint: What `fit` wrote to, whose best checkpoint is taken, or a checkpoint, which may lie alone.

    Returns:
        A LightningModule in evaluation mode, on the CPU. `model.transforms` makes a file, an array or a picture of
        Pillow what the network takes, float32 (3, H, W); `model(torch.stack([...]))` gives logits (B, C) of the classes
        `model.class_names`.

    Raises:
        UserError: There is no checkpoint, it is damaged or has no classifier, or a class is not found.
    """
    return load_network(checkpoint_of(run_or_checkpoint))


def checkpoint_of(run_or_checkpoint: str | Path) -> Path:
    """The checkpoint that is meant.

    Raises:
        UserError: There is none, or it is not that of its run.
    """
    place = Path(run_or_checkpoint).expanduser()
    if place.is_dir():
        place = best_checkpoint(place, stages_of(place))
    if not place.is_file():
        raise UserError(
            f"There is no checkpoint {place}: give the folder that `fit` wrote to, with its checkpoints, or a file "
            "such as best.ckpt."
        )
    check_checkpoint(place)
    return place
