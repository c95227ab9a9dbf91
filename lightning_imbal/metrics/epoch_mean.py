"""The mean of a number over the batches of an epoch."""

import torch
from torch import Tensor
from torchmetrics import Metric


class EpochMean(Metric):
    """Mean over an epoch's batches, each counted by its images, to the bit as Lightning's `log` computes it.

    `log` costs as much as a small step: this is logged once an epoch, and added to at each step. It is the mean of one
    process, and nothing waits for the device.
    """

    full_state_update = False
    total: Tensor
    images: Tensor

    def __init__(self) -> None:
        super().__init__(sync_on_compute=False)
        self.add_state("total", torch.tensor(0.0))
        self.add_state("images", torch.tensor(0))

    def update(self, value: Tensor, images: int) -> None:
        """Adds the value () of a batch of so many images."""
        # Not in place: the first value brings the device, and double precision.
        self.total = self.total + value.detach().to(torch.promote_types(value.dtype, torch.float32)) * images
        self.images = self.images + images

    def compute(self) -> Tensor:
        """Returns the mean, ()."""
        # By a number of the CPU, a GPU would not divide: it would multiply by the rounded reciprocal.
        return self.total / self.images.to(self.total.device)
