"""Contrastive representation, stage one of Marrakchi et al. 2021."""

import math
from typing import Any

import torch.nn.functional as F
from lightning.pytorch.utilities import rank_zero_warn
from torch import Tensor, nn
from torchmetrics import MeanMetric

from lightning_imbal.losses.supcon import SupConLoss
from lightning_imbal.modules.base import Batch, ImbalModule


class SupConRepresentation(ImbalModule):
    """Learns a feature space in which images of a class lie together; a second stage trains the classifier.

    Y. Marrakchi, O. Makansi, T. Brox. Fighting Class Imbalance with Contrastive Learning. MICCAI 2021: the feature
    passes a two-layer perceptron, its unit-length output the contrastive loss of Eq. 1 over the batch of all devices.
    The perceptron is dropped after this stage.

    Args:
        temperature: Temperature of the loss.
        base_temperature: The loss is multiplied by temperature / base_temperature; None leaves it as it is.
        hidden_size: Width of the perceptron's hidden layer.
        embedding_size: Size of the embedding.
        **kwargs: Arguments of `ImbalModule`.
    """

    def __init__(
        self,
        temperature: float = 0.05,
        base_temperature: float | None = None,
        hidden_size: int = 2048,
        embedding_size: int = 128,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.projection = nn.Sequential(
            nn.Linear(self.feature_size, hidden_size), nn.ReLU(), nn.Linear(hidden_size, embedding_size)
        )
        self.loss = SupConLoss(temperature, base_temperature)
        # The loss is the same on all devices; looking for NaN would wait for each step.
        self.distance_to_collapse = MeanMetric(nan_strategy="disable", sync_on_compute=False)

    def forward(self, image: Tensor) -> Tensor:
        """Returns unit-length embeddings (B, D) of images (B, 3, H, W), or (B, V, D) of V views (B, V, 3, H, W)."""
        views = image.flatten(0, 1) if image.ndim == 5 else image
        embedding = F.normalize(self.projection(self.backbone(views)), dim=-1)
        return embedding.unflatten(0, image.shape[:2]) if image.ndim == 5 else embedding

    def contrast(self, batch: Batch) -> tuple[Tensor, int]:
        """Returns the loss over the batches of all devices, and the number of points in it."""
        embedding, label = self.gather(self(batch["image"])), self.gather(batch["label"])
        return self.loss(embedding, label), embedding.shape[:-1].numel()

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        loss, points = self.contrast(batch)
        self.log_loss("train/loss", loss)
        self.distance_to_collapse.update((loss.detach() / self.loss.scale - math.log(max(points - 1, 1))).abs())
        return loss

    def on_train_epoch_end(self) -> None:
        """Warns when all embeddings have become one point: the loss of every anchor is then log(points - 1)."""
        if self.distance_to_collapse.compute() < 0.02:
            rank_zero_warn(
                "The embedding has collapsed: the contrastive loss stayed at log(points - 1), its value for embeddings "
                "that are all alike, through the whole epoch; lower the learning rate."
            )
        self.distance_to_collapse.reset()

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        loss, _ = self.contrast(batch)
        self.log_loss("val/loss", loss)
