"""Triplet loss."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class TripletLoss(nn.Module):
    """Triplet loss: an anchor must be nearer to its own class than to another by a margin.

    Hermans et al. 2017, "In Defense of the Triplet Loss for Person Re-Identification": every triplet of the batch
    (Eq. 6), averaged over those that are not 0, or for each anchor its farthest positive and nearest negative (Eq. 5),
    averaged over the anchors that have both. Computed in float32 or better, whatever the precision of the run. Mining
    all triplets takes memory for B ** 3 numbers, of which there are a few copies.

    Args:
        margin: Lead that the negative must have, in units of the distance. Zeng et al. 2023 use 50.
        squared: Takes squared Euclidean distances.
        mining: "all" or "hard".

    Raises:
        ValueError: `margin` is negative, or `mining` is not one of those above.
    """

    def __init__(self, margin: float = 50.0, squared: bool = True, mining: Literal["all", "hard"] = "all") -> None:
        super().__init__()
        if not margin >= 0:
            raise ValueError(f"margin must not be negative, but is {margin}.")
        if mining not in ("all", "hard"):
            raise ValueError(f"mining must be all or hard, but is {mining!r}.")
        self.margin, self.squared, self.mining = margin, squared, mining

    def forward(self, feature: Tensor, label: Tensor) -> Tensor:
        """Returns the loss of a batch.

        Args:
            feature: Features, not normalised, shape (B, D).
            label: Class labels, shape (B,).

        Returns:
            The loss, shape (); a zero with zero gradient if the batch has no triplet.
        """
        same = label[:, None] == label
        positive = same & ~torch.eye(len(label), dtype=torch.bool, device=label.device)
        with torch.autocast(device_type=feature.device.type, enabled=False):
            distance = self._distances(feature.to(torch.promote_types(feature.dtype, torch.float32)))
            if self.mining == "all":
                lead = distance[:, None, :] - distance[:, :, None]  # [anchor, positive, negative]
                triplet = positive[:, :, None] & ~same[:, None, :]
                hinge = F.relu(self.margin - lead).masked_fill(~triplet, 0)
                counted = hinge > 0
            else:
                # Without a positive or a negative the lead is infinite, and the hinge 0 without gradient.
                farthest_positive = distance.masked_fill(~positive, -float("inf")).amax(dim=1)
                nearest_negative = distance.masked_fill(same, float("inf")).amin(dim=1)
                hinge = F.relu(self.margin - (nearest_negative - farthest_positive))
                # An anchor lacks negatives only if all do, and then the sum is 0.
                counted = positive.any(dim=1)
            return hinge.sum() / counted.sum().clamp(min=1)

    def _distances(self, feature: Tensor) -> Tensor:
        # Distances do not depend on the origin; around the mean the three terms below cancel least.
        feature = feature - feature.mean(dim=0).detach()
        product = feature @ feature.T
        norm = product.diagonal()
        square = norm[:, None] + norm - 2 * product
        return square.clamp(min=0) if self.squared else square.clamp(min=1e-12).sqrt()
