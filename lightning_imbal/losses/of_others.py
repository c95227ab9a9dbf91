"""Losses of torch, timm or the user that take logits and labels, and know nothing of class sizes."""

import warnings
from typing import Any

import torch
from torch import Tensor, nn

from lightning_imbal.losses.base import ImbalancedLoss


class UnweightedLoss(ImbalancedLoss):
    """A loss of another library on logits (B, C) and labels (B,), as it is; single images cannot be weighted.

    Args:
        class_counts: Training images per class, ordered by label, shape (C,).
        loss: The loss.

    Raises:
        ValueError: It takes something else than logits and labels, or is no number that right logits make smallest.
    """

    weighs_images = False

    def __init__(self, class_counts: Tensor, loss: nn.Module) -> None:
        super().__init__(class_counts)
        self.loss = loss
        _check(loss, len(class_counts))

    def forward(self, logits: Tensor, label: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        """Returns the loss, shape (), of logits (B, C) and labels (B,); ValueError if there are sample weights."""
        if sample_weight is not None:
            raise ValueError(refusal_of_weights(self))
        return self.loss(logits, label)


def refusal_of_weights(loss: nn.Module) -> str:
    """Why a loss cannot weigh the labels of a mixed image."""
    name = type(loss.loss if isinstance(loss, UnweightedLoss) else loss).__name__
    return f"{name} cannot weigh single images, which mixing and Deferred do: choose a loss such as CrossEntropy."


def _check(loss: Any, classes: int) -> None:
    # One image more than classes: what takes pairs of images, or an image for each class, is noticed.
    label = torch.arange(classes + 1) % classes
    right = torch.eye(classes)[label] / 10  # also a smoothed loss is smaller for them than for none
    name = type(loss).__name__
    try:
        with torch.no_grad(), warnings.catch_warnings(action="ignore"):
            values = [loss(logits, label) for logits in (right, torch.zeros_like(right))]
    except Exception as error:  # each has its own
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ValueError(
            f"{name} does not take logits and labels ({reason}): choose a loss that does, such as CrossEntropy."
        ) from error
    if not all(isinstance(value, Tensor) and value.ndim == 0 for value in values):
        raise ValueError(f"{name} does not give one number for a batch: let it take the mean.")
    best, none = (value.item() for value in values)
    if not (0 <= best < none < float("inf")):
        raise ValueError(
            f"{name} is {best:.4g} for right logits and {none:.4g} for none: it takes something else, such as "
            "probabilities; choose a loss of logits, such as CrossEntropy."
        )
