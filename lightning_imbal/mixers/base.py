"""What mixers share: labels stay hard."""

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor, nn

from lightning_imbal.contract import Batch

Mix = tuple[Tensor, list[tuple[Tensor, Tensor]]]


class Mixer(nn.Module, ABC):
    """Mixes the images of a batch with each other, or with those of a second batch.

    A mixed image has several labels, each with a weight. The sum of `loss(logits, label, sample_weight=weight)` over
    them is, for cross-entropy, the loss of the soft label; other losses need no soft label either. Random numbers come
    from torch's default generator of the CPU: nothing waits for the device, and several can draw the same.

    Args:
        class_counts: Training images per class, ordered by label, shape (C,).

    Attributes:
        needs_pairs: Whether `forward` needs a second batch, drawn otherwise.
    """

    needs_pairs: bool = False

    def __init__(self, class_counts: Tensor) -> None:
        super().__init__()

    @abstractmethod
    def forward(self, batch: Batch, other: Batch | None = None) -> Mix:
        """Mixes a batch, which itself is left as it is.

        Args:
            batch: `image` (B, 3, H, W) and `label` (B,).
            other: What each image is mixed with; a mixer that needs no second batch takes the images of this one in
                another order by default.

        Returns:
            The mixed images, shape and type as before, and pairs of labels (B,) and their weights (B,), float32 or
            better. The weights of an image sum to 1.
        """


MixerFactory = Callable[[Tensor], Mixer]


def checked_alpha(alpha: float) -> float:
    """Returns alpha; ValueError if it is negative."""
    if not alpha >= 0:
        raise ValueError(f"alpha must not be negative, but is {alpha}.")
    return alpha


def draw_beta(alpha: float) -> float:
    """Draws from Beta(alpha, alpha); 1 if alpha is 0."""
    if alpha == 0:
        return 1.0
    parameter = torch.tensor(alpha, dtype=torch.float64)
    return float(torch.distributions.Beta(parameter, parameter).sample())


def shuffled(batch: Batch, rank: int = 0, devices: int = 1) -> Batch:
    """Shuffles image (B, 3, H, W) and label (B,), so that each image has a partner, possibly itself.

    Args:
        batch: Of all devices.
        rank: The device whose partners are returned, every `devices`-th one.
        devices: How many there are.
    """
    image, label = batch["image"], batch["label"]
    partner = torch.randperm(len(label))[rank::devices].to(image.device, non_blocking=True)
    return {"image": image[partner], "label": label[partner]}


def full_weight(image: Tensor, value: float) -> Tensor:
    """The same weight for every image, shape (B,)."""
    dtype = torch.promote_types(image.dtype, torch.float32)
    return torch.full((len(image),), value, dtype=dtype, device=image.device)
