"""The eight flips and quarter turns of an image."""

import math

import torch
from torch import Tensor, nn

from lightning_imbal.errors import UserError
from lightning_imbal.predictors.base import Predictor


class DihedralTTA(Predictor):
    """Averages the class probabilities of the eight flips and quarter turns of a square image.

    Test-time augmentation by the symmetries of the square (the dihedral group D4, as in Cohen and Welling 2016), for
    pictures without an upright, such as of skin or cells: an image that is turned or mirrored gets the same answer. The
    logits are the logarithm of the averaged probabilities, in float32 or better.

    Raises:
        UserError: The images are not square.
    """

    def forward(self, model: nn.Module, image: Tensor) -> Tensor:
        height, width = image.shape[-2:]
        if height != width:
            raise UserError(f"DihedralTTA turns square images, but they are {width} x {height}: use FlipTTA.")
        views = dihedral_views(image)
        if torch.compiler.is_exporting():  # the file holds the network once, not eight times
            logits = model(torch.cat(views)).unflatten(0, (len(views), -1))
        else:  # one after the other: whatever batch fits the memory without them fits with them
            logits = torch.stack([model(view) for view in views])
        log_prob = logits.to(torch.promote_types(logits.dtype, torch.float32)).log_softmax(dim=-1)
        return log_prob.logsumexp(dim=0) - math.log(len(views))


def dihedral_views(image: Tensor) -> list[Tensor]:
    """The four quarter turns of images (B, 3, S, S), then those of their mirror images."""
    return [way.rot90(turns, (-2, -1)) for way in (image, image.flip(-1)) for turns in range(4)]
