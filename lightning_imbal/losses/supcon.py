"""Supervised contrastive loss."""

from torch import Tensor, nn

from lightning_imbal.losses.checks import checked_temperature
from lightning_imbal.losses.contrast import flatten_views, supervised_contrast


class SupConLoss(nn.Module):
    """Supervised contrastive loss: pulls together the embeddings of a class, pushes apart all others.

    Marrakchi et al. 2021, "Fighting Class Imbalance with Contrastive Learning", Eq. 1, averaged over the anchors; the
    same as Khosla et al. 2020, "Supervised Contrastive Learning", Eq. 2. Anchors that are alone in their class are left
    out of the average. Computed in float32 or better, whatever the precision of the run.

    Equation:
        L = mean_i mean_{j in P(i)} -log( e_ij / sum_{k != i} e_ik )
        e_ij = exp(u_i.u_j / temperature), of unit-length embeddings u
        i: the points of the batch, each view of an image one, that have a positive
        P(i): the other points of the batch with the label of i

    Limits:
        An image that is alone in its class in a batch, as those of rare classes often are, pulls nothing together: it
        wants large batches.

    Args:
        temperature: Divides the similarities.
        base_temperature: Multiplies the loss by `temperature / base_temperature`; None means a factor of 1. The code
            released with both papers uses 0.07.

    Raises:
        ValueError: A temperature is not positive.
    """

    def __init__(self, temperature: float = 0.1, base_temperature: float | None = None) -> None:
        super().__init__()
        if base_temperature is not None and not base_temperature > 0:
            raise ValueError(f"base_temperature must be positive or null, but is {base_temperature}.")
        self.temperature = checked_temperature(temperature)
        self.scale = 1.0 if base_temperature is None else temperature / base_temperature

    def forward(self, embedding: Tensor, label: Tensor) -> Tensor:
        """Returns the loss of a batch.

        Args:
            embedding: Unit-length vectors (they are not normalised again), shape (B, D), or (B, V, D) for V views of
                each image. All views of all images of a label are positives of each other.
            label: Class labels, shape (B,).

        Returns:
            The loss, shape (); a zero with zero gradient if no anchor has a positive.
        """
        loss = supervised_contrast(*flatten_views(embedding, label), self.temperature)
        return loss if self.scale == 1 else self.scale * loss
