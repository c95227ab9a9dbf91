"""Balanced contrastive loss."""

import torch
from torch import Tensor, nn

from lightning_imbal.losses.checks import checked_temperature
from lightning_imbal.losses.contrast import flatten_views, supervised_contrast


class BCLLoss(nn.Module):
    """Balanced contrastive loss: the supervised one with class means in the denominator and a prototype of each class.

    Zhu et al. 2022, "Balanced Contrastive Learning for Long-Tailed Visual Recognition", class averaging and
    class complement. Samples are the anchors, prototypes are not. An anchor's own class is divided by its number of
    points less one, any other class by its number of points, as in the released code. Computed in float32 or better,
    whatever the precision of the run.

    Equation:
        L = mean_i mean_{j in P(i)} -log( e_ij / sum_c mean_{k in S_c} e_ik )
        e_ij = exp(u_i.u_j / temperature), of unit-length embeddings u
        i: the embeddings of the batch
        S_c: those of class c but i, and the prototype of c
        P(i): S_c of the class of i

    Args:
        temperature: Divides the similarities.

    Raises:
        ValueError: `temperature` is not positive.
    """

    def __init__(self, temperature: float = 0.1) -> None:
        super().__init__()
        self.temperature = checked_temperature(temperature)

    def forward(self, embedding: Tensor, label: Tensor, prototype: Tensor) -> Tensor:
        """Returns the loss of a batch, shape ().

        Args:
            embedding: Unit-length vectors (they are not normalised again), shape (B, D), or (B, V, D) for V views.
            label: Class labels, shape (B,).
            prototype: Unit-length prototype of each class, shape (C, D).
        """
        embedding, label = flatten_views(embedding, label)
        point = torch.cat([embedding, prototype])
        class_label = torch.arange(len(prototype), device=label.device)
        return supervised_contrast(
            point, torch.cat([label, class_label]), self.temperature, len(embedding), balanced=True
        )
