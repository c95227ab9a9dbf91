"""From a row of the sample table to the batch dict."""

import random
from collections.abc import Sequence
from typing import NotRequired, TypedDict

import albumentations as A
import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from lightning_imbal.data.loading.colour import left_to_device
from lightning_imbal.data.pictures.base import Pictures

Draw = tuple[int, int]


class Item(TypedDict):
    """A picture, its class and its row in the sample table."""

    image: Tensor
    colour: NotRequired[Tensor]
    label: int
    index: int


class PairedItem(Item):
    """A picture and a second one."""

    other: Item


class ImageDataset(Dataset[Item]):
    """Pictures of one part of a split.

    Args:
        images: Picture of every row of the sample table, RGB (H, W, 3), uint8 or uint16.
        label: Class of every row, shape (N,).
        rows: Rows of this part.
        recipes: Picture to picture of the network's size, one for each view.
    """

    def __init__(self, images: Pictures, label: np.ndarray, rows: np.ndarray, recipes: Sequence[A.Compose]) -> None:
        self.images, self.label, self.rows, self.recipes = images, label, rows, recipes
        self.left_to_device = [step for recipe in recipes for step in left_to_device(recipe)]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, draw: int | Draw) -> Item:
        """Returns image (3, H, W), or (V, 3, H, W) for V > 1 views; label; index (row of the sample table).

        The image is uint8, or that of a picture of uint16 float32 in 0..1.

        With recipes that leave their colours to the device: `colour` (3, 4), or (V, 3, 4).

        Args:
            draw: Position in this part, alone or with the seed of its augmentation.
        """
        position, seed = draw if isinstance(draw, tuple) else (draw, draw)
        # One pair of generators for all views: they must be drawn from independently.
        generators = np.random.default_rng(seed), random.Random(seed)
        row = int(self.rows[position])
        image = self.images[row]
        if image.dtype == np.uint16:  # which the recipes do not take
            image = image.astype(np.float32) / np.float32(65535)
        views = []
        for recipe in self.recipes:
            recipe.set_random_state(*generators)
            views.append(torch.from_numpy(_channels_first(recipe(image=image)["image"])))
        item: Item = {"image": _of_views(views), "label": int(self.label[row]), "index": row}
        if self.left_to_device:
            item["colour"] = _of_views([step.take_matrix() for step in self.left_to_device])
        return item


def _channels_first(image: np.ndarray) -> np.ndarray:
    channels = np.empty((image.shape[2], *image.shape[:2]), image.dtype)
    cv2.split(image, list(channels))  # written into them: five times as fast as transposing
    return channels


def _of_views(views: list[Tensor]) -> Tensor:
    return views[0] if len(views) == 1 else torch.stack(views)


class PairedImages(Dataset[PairedItem]):
    """Pictures of one part, each with a second one beside it as `other`.

    Args:
        images: Where both are drawn from; of the second one only the first view is made.
    """

    def __init__(self, images: ImageDataset) -> None:
        self.images = images
        self.others = ImageDataset(images.images, images.label, images.rows, images.recipes[:1])

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, draws: int | tuple[Draw, Draw]) -> PairedItem:
        """Returns the item of the first draw, and under `other` that of the second; of one position, both."""
        if isinstance(draws, int):  # of a sampler that Lightning puts in, as for `overfit_batches`
            draws = ((draws, draws), (draws, draws))
        return {**self.images[draws[0]], "other": self.others[draws[1]]}
