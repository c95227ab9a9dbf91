"""Remix."""

import torch
from torch import Tensor

from lightning_imbal.mixers.mixup import MixUp


class Remix(MixUp):
    """Mixup whose label goes to the rarer class where the class sizes of a pair are far apart.

    Chou et al. 2020, "Remix: Rebalanced Mixup". With `lam ~ Beta(alpha, alpha)` the image of class i has the weight

    * 0 if `n_i / n_j >= kappa` and `lam < tau`,
    * 1 if `n_i / n_j <= 1 / kappa` and `1 - lam < tau`,
    * `lam` otherwise,

    for its own label, where n_j is the class size of its partner. Images are blended as by `MixUp`.

    Equation:
        x = lam x_i + (1 - lam) x_j,   L = w L(z, y_i) + (1 - w) L(z, y_j)
        w = 0 if n_i / n_j >= kappa and lam < tau
        w = 1 if n_i / n_j <= 1 / kappa and 1 - lam < tau
        w = lam otherwise,   lam ~ Beta(alpha, alpha)

    Limits:
        It is Mixup for pairs whose class sizes differ by a factor below `kappa`, as all those of two images of
        the largest class, which are many if it has most of the images.

    Args:
        class_counts: Training images per class, ordered by label, shape (C,).
        alpha: Parameter of the Beta distribution; 0 mixes nothing.
        kappa: Ratio of class sizes from which on the rarer class may take the label.
        tau: Share of the image below which the larger class gives its label away.

    Raises:
        ValueError: `alpha` is negative, `kappa` is below 1 or `tau` is outside 0..1.
    """

    class_counts: Tensor

    def __init__(self, class_counts: Tensor, alpha: float = 1.0, kappa: float = 3.0, tau: float = 0.5) -> None:
        super().__init__(class_counts, alpha)
        if not kappa >= 1:
            raise ValueError(f"kappa must be at least 1, but is {kappa}.")
        if not 0 <= tau <= 1:
            raise ValueError(f"tau must be in 0..1, but is {tau}.")
        self.register_buffer("class_counts", torch.as_tensor(class_counts, dtype=torch.float64), persistent=False)
        self.kappa, self.tau = kappa, tau

    def label_weight(self, lam: float, weight: Tensor, label: Tensor, partner_label: Tensor) -> Tensor:
        size, partner_size = self.class_counts[label], self.class_counts[partner_label]
        if 1 - lam < self.tau:
            weight = weight.masked_fill(partner_size >= self.kappa * size, 1.0)
        if lam < self.tau:
            weight = weight.masked_fill(size >= self.kappa * partner_size, 0.0)
        return weight
