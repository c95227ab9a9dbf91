"""What a module needs of its data: its classes, so many views of an image, a second image beside it."""

from collections.abc import Sequence
from typing import Protocol

from torch import nn

from lightning_imbal.contract import ImbalData
from lightning_imbal.errors import UserError


class Needs(Protocol):
    """What a module says of its batches."""

    needs_pairs: bool
    min_views: int
    max_views: int | None


def check_counts(class_counts: Sequence[int], class_names: Sequence[str]) -> None:
    """Refuses sizes that are not those of the classes; UserError names both numbers."""
    if len(class_counts) != len(class_names):
        raise UserError(
            f"class_counts has {len(class_counts)} numbers and class_names {len(class_names)}: give those of one "
            "DataModule, data.class_counts and data.class_names."
        )


def check_classes(class_names: Sequence[str], data: ImbalData) -> None:
    """Refuses data whose classes, if it has names for them, are not those of a module; UserError names both."""
    known = getattr(data, "class_names", None)
    if known is not None and list(known) != list(class_names):
        raise UserError(
            f"The model was built for the classes {', '.join(class_names)}, but {type(data).__name__} has "
            f"{', '.join(known)}: build it with data.class_counts and data.class_names."
        )


def check_order(model: nn.Module, data: ImbalData) -> None:
    """Refuses losses and heads that take the classes for grades, where the data says that they have no order."""
    needing = [type(part).__name__ for part in model.modules() if getattr(part, "needs_order", False)]
    if needing and not getattr(data, "ordered", True):
        raise UserError(
            f"{needing[0]} takes the classes for grades, from low to high, but those of {type(data).__name__} have no "
            "order: choose another method, or, if images of your own are grades, say so with --data.ordered true."
        )


def check_views(model: Needs, data: ImbalData) -> None:
    """Refuses fewer views of each image than a module needs, and more than it can use."""
    name, views = type(model).__name__, len(data.train_recipes)
    if views < model.min_views:
        raise UserError(
            f"{name} needs {model.min_views} views of each image, but the data gives {views}: "
            f"set data.views={model.min_views}, or more_views for views of another kind."
        )
    if model.max_views is not None and views > model.max_views:
        raise UserError(
            f"{name} can use {model.max_views} of the {views} views of each image that the data gives: "
            f"set data.views={model.max_views} data.more_views=null."
        )


def check_pairs(model: Needs, data: ImbalData) -> None:
    """Refuses batches without the second image that a module needs, and with one that it has no use for."""
    name = type(model).__name__
    if model.needs_pairs and data.paired_sampler is None:
        raise UserError(
            f"{name} needs a second image beside each one, but the data draws none: set a sampler, "
            "such as data.paired_sampler=ClassPower(q=0)."
        )
    if data.paired_sampler is not None and not model.needs_pairs:
        raise UserError(f"{name} has no use for the second image that paired_sampler draws: set it to null.")
