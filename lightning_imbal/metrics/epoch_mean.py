"""The mean of a number over the batches of an epoch."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric


class EpochMean(Metric):
    """Mean over an epoch's batches, each counted by its images, to the bit as Lightning's `log` computes it.

    `log` costs as much as a small step: this is logged once an epoch, and added to at each step. It is that of one
    process, and nothing waits for the device.
    """

    is_differentiable = False
    full_state_update = False

    def __init__(self) -> None:
        super().__init__()
        self.total, self.images = torch.tensor(0.0), 0

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)  # there is no module within it to keep account of

    def update(self, value: Tensor, images: int) -> None:
        """Adds the value () of a batch of so many images."""
        exact = value.detach().to(torch.promote_types(value.dtype, torch.float32))
        self.total = self.total + exact * images if self.images else exact * images
        self.images += images

    def compute(self) -> Tensor:
        """Returns the mean, ()."""
        return self.total / torch.tensor(self.images, device=self.total.device)

    def reset(self) -> None:
        """Forgets all batches."""
        self.total, self.images = torch.tensor(0.0), 0

    def _wrap_update(self, update: Callable[..., Any]) -> Callable[..., Any]:
        return update  # which is counted by its images

    def _wrap_compute(self, compute: Callable[..., Any]) -> Callable[..., Any]:
        return compute  # of this process alone
