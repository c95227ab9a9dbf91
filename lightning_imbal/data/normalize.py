"""Normalisation of pictures, on the device."""

from collections.abc import Sequence
from math import isfinite

import torch
from torch import Tensor, nn

from lightning_imbal.contract import Batch
from lightning_imbal.data.loading.colour import recoloured

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class Normalize(nn.Module):
    """Normalises pictures (..., 3, H, W), uint8 or floats in 0..1: pixels in 0..1, less the mean, over the deviation.

    Args:
        mean: Per RGB channel, pixels in 0..1; None leaves it open, and is ImageNet's until it is taken from weights.
        std: Per RGB channel, pixels in 0..1; None likewise.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Sequence[float] | None = None, std: Sequence[float] | None = None) -> None:
        super().__init__()
        self.given = mean, std
        mean, std = mean or IMAGENET_MEAN, std or IMAGENET_STD
        for name, values in {"mean": mean, "std": std}.items():
            least = "more than 0" if name == "std" else "numbers"
            if not all(map(isfinite, values)) or (name == "std" and min(values) <= 0):
                raise ValueError(f"{name} must be {least} for each RGB channel, but is {list(values)}.")
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32).view(3, 1, 1))
        self.register_buffer("std", torch.tensor(std, dtype=torch.float32).view(3, 1, 1))

    def take(self, mean: Sequence[float], std: Sequence[float]) -> None:
        """Takes those of the two that were left open."""
        given_mean, given_std = self.given
        self.load_state_dict(Normalize(given_mean or mean, given_std or std).state_dict())

    def forward(self, image: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
        """Returns floats of the type `dtype` in the shape of `image`."""
        exact = torch.promote_types(dtype, torch.float32)
        if self.mean.device != image.device:
            self.to(image.device)  # once: a copy at each step would wait for the device
        mean, std = self.mean.to(exact), self.std.to(exact)
        if image.is_floating_point():
            return image.to(exact).sub(mean).div_(std).to(dtype)
        return image.to(exact).sub_(255 * mean).div_(255 * std).to(dtype)

    def batch(self, batch: Batch, dtype: torch.dtype) -> Batch:
        """Returns a batch whose `image`, and that of its `other`, are recoloured and normalised; features stay."""
        new = batch.copy()
        if "image" in batch:
            image = batch["image"]
            new["image"] = self(recoloured(image, new.pop("colour")) if "colour" in new else image, dtype)
        if "other" in batch:
            new["other"] = self.batch(batch["other"], dtype)
        return new
