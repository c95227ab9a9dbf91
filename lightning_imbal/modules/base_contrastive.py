"""What the contrastive methods share: several views of an image, their embeddings, the batch of all devices."""

from abc import ABC, abstractmethod
from typing import Any

from torch import Tensor

from lightning_imbal.contract import Batch
from lightning_imbal.losses.projection import Projection
from lightning_imbal.modules.base import ImbalModule
from lightning_imbal.modules.base_classifier import ImbalClassifier
from lightning_imbal.predictors.base import PredictorFactory
from lightning_imbal.predictors.plain import Plain


class ContrastiveRepresentation(ImbalModule, ABC):
    """Learns a feature space by a contrastive loss alone; a second stage trains the classifier.

    Args:
        hidden_size: Width of the projection's hidden layer.
        embedding_size: Size of the embedding.
        predictor: Of the classifier that a second stage trains, which takes it over.
        **kwargs: Arguments of `ImbalModule`.
    """

    max_views: int | None = None

    def __init__(
        self,
        hidden_size: int = 2048,
        embedding_size: int = 128,
        predictor: PredictorFactory = Plain,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.projection = Projection(self.feature_size, hidden_size, embedding_size)

    def forward(self, image: Tensor) -> Tensor:
        """Returns unit-length embeddings (B, E) of images (B, 3, H, W), or (B, V, E) of V views (B, V, 3, H, W)."""
        views = image.flatten(0, 1) if image.ndim == 5 else image
        embedding = self.projection(self.backbone(views))
        return embedding.unflatten(0, image.shape[:2]) if image.ndim == 5 else embedding

    @abstractmethod
    def contrast(self, batch: Batch, batch_idx: int = 0) -> Tensor:
        """Returns the loss over the batches of all devices."""

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        loss = self.contrast(batch, batch_idx)
        self.log_loss("train/loss", loss)
        return loss

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        self.log_loss("val/loss", self.contrast(batch, batch_idx))


class ContrastiveClassifier(ImbalClassifier, ABC):
    """A classifier that is trained together with a contrastive loss on the embeddings of an image's views.

    The contrastive loss sees the batch of all devices. The projection is not used after training.

    Args:
        hidden_size: Width of the projection's hidden layer.
        embedding_size: Size of the embedding.
        batch_norm: Whether the projection's hidden layer has BatchNorm.
        **kwargs: Arguments of `ImbalClassifier`.
    """

    min_views = 2
    max_views: int | None = None

    def __init__(
        self, hidden_size: int = 2048, embedding_size: int = 128, batch_norm: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.projection = Projection(self.feature_size, hidden_size, embedding_size, batch_norm=batch_norm)

    def encode(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Returns features (B, V, D) and unit-length embeddings (B, V, E) of V views (B, V, 3, H, W)."""
        feature = self.backbone(image.flatten(0, 1))
        return feature.unflatten(0, image.shape[:2]), self.projection(feature).unflatten(0, image.shape[:2])

    @abstractmethod
    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Returns the loss of a batch."""
