"""Contrastive representation, stage one of Marrakchi et al. 2021."""

import math
from typing import Any

from lightning.pytorch.utilities import rank_zero_warn
from torch import Tensor
from torchmetrics import MeanMetric

from lightning_imbal.contract import Batch
from lightning_imbal.losses.supcon import SupConLoss
from lightning_imbal.modules.base_contrastive import ContrastiveRepresentation


class SupConRepresentation(ContrastiveRepresentation):
    """Learns a feature space in which images of a class lie together; a second stage trains the classifier.

    Y. Marrakchi, O. Makansi, T. Brox. Fighting Class Imbalance with Contrastive Learning. MICCAI 2021: the feature
    passes a two-layer perceptron, its unit-length output the contrastive loss of Eq. 1 over the batch of all devices.
    The perceptron is dropped after this stage.

    Equation:
        L = `SupConLoss`(u, y),   then a second stage
        u: unit-length output of a perceptron on the feature

    Limits:
        It wants long training and large batches (the paper on ISIC 2018: 1,000 epochs, batches of 192). Without a
        classifier the first stage has no score to choose an epoch by: it keeps the last.

    Args:
        temperature: Temperature of the loss.
        base_temperature: The loss is multiplied by temperature / base_temperature; None leaves it as it is.
        **kwargs: Arguments of `ContrastiveRepresentation`.
    """

    def __init__(self, temperature: float = 0.05, base_temperature: float | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.loss = SupConLoss(temperature, base_temperature)
        # The loss is the same on all devices; looking for NaN would wait for each step.
        self.distance_to_collapse = MeanMetric(nan_strategy="disable", sync_on_compute=False)

    def contrast(self, batch: Batch, batch_idx: int = 0) -> Tensor:
        """Returns the loss of Eq. 1 over the batches of all devices."""
        embedding, label = self.gather(self(batch["image"])), self.gather(batch["label"])
        loss = self.loss(embedding, label)
        if self.training:
            others = max(embedding.shape[:-1].numel() - 1, 1)
            self.distance_to_collapse.update((loss.detach() / self.loss.scale - math.log(others)).abs())
        return loss

    def on_train_epoch_end(self) -> None:
        """Warns when all embeddings have become one point: the loss of every anchor is then log(points - 1)."""
        if self.distance_to_collapse.compute() < 0.02:
            rank_zero_warn(
                "The embedding has collapsed: the contrastive loss stayed at log(points - 1), its value for embeddings "
                "that are all alike, through the whole epoch; lower the learning rate."
            )
        self.distance_to_collapse.reset()
