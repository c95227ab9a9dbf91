"""CutMix."""

import torch
from torch import Tensor

from lightning_imbal.contract import Batch
from lightning_imbal.mixers.base import Mix, Mixer, checked_alpha, draw_beta, full_weight, shuffled


class CutMix(Mixer):
    """CutMix: a box of every image is replaced by that of a random partner of its batch.

    Yun et al. 2019, "CutMix: Regularization Strategy to Train Strong Classifiers with Localizable Features", with the
    rounding of its code. The box has `sqrt(1 - lam)` of the sides, `lam ~ Beta(alpha, alpha)`, and a uniform center;
    what sticks out of the image is cut off. The label's weight is the share of the pixels that stay.

    Equation:
        x = x_i with a box of x_j,   L = a L(z, y_i) + (1 - a) L(z, y_j)
        a: share of the pixels that stay

    Limits:
        Where a small spot shows the disease, the box may hide it or bring it in, while the label counts by area. It
        does not balance: partners come from the batch, in which rare classes are rare.

    Args:
        class_counts: Training images per class, ordered by label, shape (C,).
        alpha: Parameter of the Beta distribution; 0 mixes nothing.
        probability: Share of the batches that are mixed.

    Raises:
        ValueError: `alpha` is negative or `probability` is outside 0..1.
    """

    def __init__(self, class_counts: Tensor, alpha: float = 1.0, probability: float = 0.5) -> None:
        super().__init__(class_counts)
        if not 0 <= probability <= 1:
            raise ValueError(f"probability must be in 0..1, but is {probability}.")
        self.alpha, self.probability = checked_alpha(alpha), probability

    def draw_lam(self) -> float:
        """Draws the share of an image that stays, before rounding; 1 if the batch is not mixed."""
        mixes = float(torch.rand(())) < self.probability
        return draw_beta(self.alpha) if mixes else 1.0

    def draw_center(self, height: int, width: int) -> tuple[int, int]:
        """Draws the pixel in the middle of the box: row and column."""
        return int(torch.randint(height, ())), int(torch.randint(width, ()))

    def forward(self, batch: Batch, other: Batch | None = None) -> Mix:
        mixed = batch["image"].clone()
        height, width = mixed.shape[-2:]
        side = (1 - self.draw_lam()) ** 0.5
        row, column = self.draw_center(height, width)
        top, bottom = _interval(row, int(height * side), height)
        left, right = _interval(column, int(width * side), width)
        other = other or shuffled(batch)
        mixed[..., top:bottom, left:right] = other["image"][..., top:bottom, left:right]
        weight = full_weight(mixed, 1 - (bottom - top) * (right - left) / (height * width))
        return mixed, [(batch["label"], weight), (other["label"], 1 - weight)]


def _interval(center: int, length: int, limit: int) -> tuple[int, int]:
    """Where a side of the box begins and ends (exclusive); an odd length loses a pixel, as in the code of CutMix."""
    return max(center - length // 2, 0), min(center + length // 2, limit)
