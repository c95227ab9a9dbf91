"""The second stage on stored features: Trainer, head and data, beside a bare loop over slices of a tensor."""

from functools import partial

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from lightning.pytorch import Trainer
from pairs import Pair
from torch import Tensor, nn

from lightning_imbal.data import Holdout, ImbalDataModule
from lightning_imbal.modules import FrozenHead

NUMBER, SIZE, CLASSES, EPOCHS, BATCH = 7500, 2048, 7, 10, 64
SGD = partial(torch.optim.SGD, lr=0.01, momentum=0.9)


class Features(ImbalDataModule):
    """A data set of whose pictures features are stored already: the pictures themselves are never read.

    Args:
        feature: (N, D).
        label: (N,).
        batch_size: Of a step.
    """

    class_names = tuple(map(str, range(CLASSES)))

    def __init__(self, feature: Tensor, label: Tensor, batch_size: int) -> None:
        super().__init__(".", Holdout(test=0.25), batch_size=batch_size, num_workers=0)
        self.feature, self.label = feature, label

    def read_index(self) -> pd.DataFrame:
        return pd.DataFrame({"image": np.arange(len(self.label)).astype(str), "label": self.label.numpy()})

    def read_images(self) -> list[np.ndarray]:
        return [np.zeros((1, 1, 3), np.uint8)] * len(self.label)

    def store_features(self, encode, views, val=True) -> None:
        super().store_features(lambda loader: self.feature, views, val)
