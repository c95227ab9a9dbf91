"""Mixup."""

from torch import Tensor

from lightning_imbal.contract import Batch
from lightning_imbal.mixers.base import Mix, Mixer, checked_alpha, draw_beta, full_weight, shuffled


class MixUp(Mixer):
    """Mixup: every image is blended with a random partner of its batch.

    Zhang et al. 2018, "mixup: Beyond Empirical Risk Minimization": `lam * x_i + (1 - lam) * x_j`, the labels weighted
    alike, with one `lam ~ Beta(alpha, alpha)` per batch.

    Equation:
        x = lam x_i + (1 - lam) x_j,   L = lam L(z, y_i) + (1 - lam) L(z, y_j)
        lam ~ Beta(alpha, alpha)

    Limits:
        It does not balance: partners come from the batch, in which rare classes are rare. Fine detail that tells
        classes apart is blended as well.

    Args:
        class_counts: Training images per class, ordered by label, shape (C,).
        alpha: Parameter of the Beta distribution; 0 mixes nothing.

    Raises:
        ValueError: `alpha` is negative.
    """

    def __init__(self, class_counts: Tensor, alpha: float = 0.2) -> None:
        super().__init__(class_counts)
        self.alpha = checked_alpha(alpha)

    def draw_lam(self) -> float:
        """Draws the share of an image itself."""
        return draw_beta(self.alpha)

    def label_weight(self, lam: float, weight: Tensor, label: Tensor, partner_label: Tensor) -> Tensor:
        """Returns the weights (B,) of the images' own labels, given those of the blend, `weight` (B,)."""
        return weight

    def forward(self, batch: Batch, other: Batch | None = None) -> Mix:
        lam, other = self.draw_lam(), other or shuffled(batch)
        mixed = lam * batch["image"] + (1 - lam) * other["image"]
        weight = self.label_weight(lam, full_weight(mixed, lam), batch["label"], other["label"])
        return mixed, [(batch["label"], weight), (other["label"], 1 - weight)]
