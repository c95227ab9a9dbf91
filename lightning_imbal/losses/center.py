"""Center loss."""

from typing import Literal

import torch
from torch import Tensor, nn


class CenterLoss(nn.Module):
    """Mean squared distance of each feature to the learned center of its class.

    Wen et al. 2016, "A Discriminative Feature Learning Approach for Deep Face Recognition", Eq. 2, with a mean over the
    batch in place of half the sum. Computed in float32 or better, whatever the precision of the run.

    Args:
        num_classes: Number of classes C.
        dim: Size of the feature D.
        init: The centers, shape (C, D), start at 0 ("zero") or are drawn from a standard normal ("normal").

    Raises:
        ValueError: `init` is not one of those above.
    """

    def __init__(self, num_classes: int, dim: int, init: Literal["zero", "normal"] = "zero") -> None:
        super().__init__()
        if init not in ("zero", "normal"):
            raise ValueError(f"init must be zero or normal, but is {init!r}.")
        self.centers = nn.Parameter(torch.zeros(num_classes, dim) if init == "zero" else torch.randn(num_classes, dim))

    def forward(self, feature: Tensor, label: Tensor) -> Tensor:
        """Returns the loss, shape (), of features (B, D) and labels (B,); centers of other classes get no gradient."""
        with torch.autocast(device_type=feature.device.type, enabled=False):
            feature = feature.to(torch.promote_types(feature.dtype, torch.float32))
            return (feature - self.centers[label]).square().sum(dim=1).mean()
