"""What a module needs of each batch: so many views of an image, a second image beside it."""

from typing import Protocol

from lightning_imbal.contract import ImbalData
from lightning_imbal.errors import UserError


class Needs(Protocol):
    """What a module says of its batches."""

    needs_pairs: bool
    min_views: int
    max_views: int | None


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
