"""How the pictures of a trained network were read, for those that it is shown now."""

from pathlib import Path

from lightning_imbal.data.labelled_images import LabelledImages
from lightning_imbal.modules.base_checkpoint import depth_of, open_checkpoint


def take_depth(data: LabelledImages, checkpoint: str | Path) -> None:
    """Makes data read pictures of more than 8 bits as the training of a checkpoint did."""
    data.take_depth(depth_of(open_checkpoint(checkpoint)))
