"""From a picture to what a trained network takes."""

from typing import Any

import torch
from torch import Tensor

from lightning_imbal.data.base import ImbalDataModule
from lightning_imbal.data.pictures.given import Picture


class Transforms:
    """The test transform and the normalisation of a trained network.

    Args:
        data: The DataModule that it is tested with, which keeps both.
        trainer: What its evaluation needs of a Trainer, such as the precision.
        data_is_known: Whether it is known where the data are.
    """

    def __init__(self, data: ImbalDataModule, trainer: dict[str, Any], data_is_known: bool) -> None:
        self.data, self.trainer, self.data_is_known = data, trainer, data_is_known

    def __call__(self, picture: Picture) -> Tensor:
        """Returns a picture as the network takes it, float32 (3, H, W).

        Args:
            picture: A file; an array, uint8, RGB (H, W, 3) or grey (H, W); or one of Pillow.
        """
        return self.data.normalize(self.data.pictures([picture])[0]["image"], torch.float32)

    def __repr__(self) -> str:
        normalize = self.data.normalize
        mean, std = ([round(each, 4) for each in values.flatten().tolist()] for values in normalize.buffers())
        return f"{type(self.data.test_recipe).__name__}(size={self.data.image_size}), mean={mean}, std={std}"
