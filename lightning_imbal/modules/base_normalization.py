"""Pictures are normalised as those that the weights of a backbone were trained on, where the data leave it open."""

from pathlib import Path

from torch import nn

from lightning_imbal.backbones.create import weights_normalization
from lightning_imbal.contract import ImbalData, OpenNormalization
from lightning_imbal.modules.base_checkpoint import open_checkpoint


def tell_weights_normalization(backbone: nn.Module, data: ImbalData) -> None:
    """Tells data whose mean or standard deviation was left open those of the weights of a backbone, if known."""
    if isinstance(data.normalize, OpenNormalization) and (known := weights_normalization(backbone)):
        data.normalize.take(*known)


def tell_checkpoint_normalization(checkpoint: Path, data: ImbalData | None) -> None:
    """Likewise those that a first stage was trained with, as its checkpoint keeps them."""
    if data and isinstance(data.normalize, OpenNormalization) and (kept := checkpoint_normalization(checkpoint)):
        data.normalize.take(*kept)


def checkpoint_normalization(checkpoint: str | Path) -> list[list[float]] | None:
    """Mean and standard deviation that a checkpoint was trained with; None if it does not say."""
    kept = open_checkpoint(checkpoint).get("normalize")
    return kept and [kept[name].flatten().tolist() for name in ("mean", "std")]
