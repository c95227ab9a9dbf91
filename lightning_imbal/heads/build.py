"""Builds a classifier head, and sees that it is one."""

from collections.abc import Callable

import torch
from torch import nn

from lightning_imbal.factories.build import build, name_of
from lightning_imbal.wording import first_line

HeadFactory = Callable[[int, int], nn.Module]


def build_head(factory: HeadFactory, in_features: int, num_classes: int) -> nn.Module:
    """Builds a head of features (B, D) to logits (B, C).

    Args:
        factory: A class with the parameters `in_features` and `num_classes` or `out_features`, or a function of both.
        in_features: D.
        num_classes: C.

    Raises:
        ValueError: It cannot be built of the two, or gives something else.
    """
    name = name_of(factory)
    try:
        head = build(factory, in_features=in_features, num_classes=num_classes, out_features=num_classes)
        mode = head.training
        with torch.no_grad():  # nothing is drawn
            shape = tuple(head.eval()(torch.zeros(2, in_features)).shape)
        head.train(mode)
    except (TypeError, RuntimeError, AttributeError) as error:
        raise ValueError(
            f"{name} is no head from {in_features} features to {num_classes} classes ({first_line(error)}): choose one "
            "such as torch.nn.Linear."
        ) from error
    if shape != (2, num_classes):
        raise ValueError(
            f"{name} gives {shape} for features (2, {in_features}), not logits (2, {num_classes}): choose a head such "
            "as torch.nn.Linear."
        )
    return head
