"""Balanced-hybrid-proxy loss, and how many proxies each class has."""

import torch
from torch import Tensor, nn

from lightning_imbal.losses.checks import checked_counts, checked_temperature
from lightning_imbal.losses.contrast import flatten_views, supervised_contrast


def hybrid_proxy_counts(class_counts: Tensor) -> list[int]:
    """Proxies per class: 1 for the largest class, `floor(n_max / (10 n_c)) + 2` for the others.

    Zhang et al. 2023, "ECL: Class-Enhancement Contrastive Learning for Long-Tailed Skin Lesion Classification", Eq. 1.
    Classes that share the largest size have 1 proxy each.

    Args:
        class_counts: Training images per class, all positive, shape (C,).

    Raises:
        ValueError: A class has no training image.
    """
    counts = checked_counts(class_counts).long()
    largest = counts.max()
    return torch.where(counts == largest, 1, largest // (10 * counts) + 2).tolist()


class BHPLoss(nn.Module):
    """Balanced-hybrid-proxy loss: samples and proxies are anchors, and every class weighs the same.

    Zhang et al. 2023, Eq. 2 and 3, averaged over the anchors that have a positive. The mean over a class in the
    denominator leaves the anchor out: its own class is divided by its number of points less one, any other class by its
    number of points, as in the released code (Eq. 3 as printed divides by zero for a class with a single proxy and no
    sample). Computed in float32 or better, whatever the precision of the run.

    Equation:
        L = mean_i mean_{j in P(i)} -log( e_ij / sum_c mean_{k in S_c} e_ik )
        e_ij = exp(u_i.u_j / temperature), of unit-length embeddings u
        i: the embeddings of the batch and all proxies that have a positive
        S_c: those of class c but i, with or without a positive
        P(i): S_c of the class of i

    Args:
        temperature: Divides the similarities: 0.01 in the paper, 0.1 in the released code.

    Raises:
        ValueError: `temperature` is not positive.
    """

    def __init__(self, temperature: float = 0.01) -> None:
        super().__init__()
        self.temperature = checked_temperature(temperature)

    def forward(self, embedding: Tensor, label: Tensor, proxy: Tensor, proxy_label: Tensor) -> Tensor:
        """Returns the loss of a batch.

        Args:
            embedding: Unit-length vectors (they are not normalised again), shape (B, D), or (B, V, D) for V views.
            label: Class labels, shape (B,).
            proxy: Unit-length proxies of all classes, shape (P, D).
            proxy_label: Class of each proxy, shape (P,).

        Returns:
            The loss, shape (); a zero with zero gradient if no anchor has a positive.
        """
        embedding, label = flatten_views(embedding, label)
        point = torch.cat([embedding, proxy])
        return supervised_contrast(point, torch.cat([label, proxy_label]), self.temperature, balanced=True)
