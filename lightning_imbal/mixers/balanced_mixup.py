"""The mixing of Balanced-MixUp."""

import torch
from torch import Tensor

from lightning_imbal.contract import Batch
from lightning_imbal.errors import UserError
from lightning_imbal.mixers.base import Mix, Mixer, checked_alpha, full_weight


class BalancedMixUp(Mixer):
    """Balanced-MixUp: the k-th image of an instance-sampled batch is blended with that of a class-balanced batch.

    Galdran et al. 2021, "Balanced-MixUp for Highly Imbalanced Medical Image Classification", Eq. 3. One
    `lam ~ Beta(alpha, 1)` per batch weighs the class-balanced image: so do the paper's text, its Fig. 3 and its code,
    while the printed equation has it the other way round.

    Equation:
        x = (1 - lam) x_I + lam x_C,   L = (1 - lam) L(z, y_I) + lam L(z, y_C)
        lam ~ Beta(alpha, 1);   I: an image as it comes, C: a class-balanced draw

    Limits:
        Every step reads two batches, which is slow where reading is. With a small `alpha` most mixtures are nearly the
        image as it comes, so that little is balanced.

    Args:
        class_counts: Training images per class, ordered by label, shape (C,).
        alpha: Parameter of the Beta distribution: the mean of `lam` is `alpha / (1 + alpha)`; 0 mixes nothing.

    Raises:
        ValueError: `alpha` is negative.
        UserError: `forward` gets no second batch.
    """

    needs_pairs = True

    def __init__(self, class_counts: Tensor, alpha: float = 0.2) -> None:
        super().__init__(class_counts)
        self.alpha = checked_alpha(alpha)

    def draw_lam(self) -> float:
        """Draws the share of the class-balanced image."""
        # The distribution function of Beta(alpha, 1) is lam ** alpha.
        return float(torch.rand((), dtype=torch.float64)) ** (1 / self.alpha) if self.alpha > 0 else 0.0

    def forward(self, batch: Batch, other: Batch | None = None) -> Mix:
        if other is None:
            raise UserError("BalancedMixUp has no second batch to mix with: set data.paired_sampler=ClassPower(q=0).")
        lam = self.draw_lam()
        mixed = (1 - lam) * batch["image"] + lam * other["image"]
        weight = full_weight(mixed, lam)
        return mixed, [(batch["label"], 1 - weight), (other["label"], weight)]
