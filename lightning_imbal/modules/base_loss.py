"""Builds the loss of a classifier."""

from torch import Tensor

from lightning_imbal.factories.build import build, name_of
from lightning_imbal.losses.base import ImbalancedLoss, LossFactory
from lightning_imbal.losses.of_others import UnweightedLoss


def build_loss(factory: LossFactory, class_counts: Tensor) -> ImbalancedLoss:
    """Builds a loss with the class sizes (C,), if it has a use for them.

    Raises:
        ValueError: It refuses its arguments, or cannot be the loss of a classifier.
    """
    try:
        loss = build(factory, class_counts=class_counts)
    except TypeError as error:
        raise ValueError(
            f"{name_of(factory)} cannot be built ({error}): the program gives a loss class_counts alone."
        ) from error
    return loss if isinstance(loss, ImbalancedLoss) else UnweightedLoss(class_counts, loss)
