"""What a classifier shares with another that also looks at attributes of the image, such as age and sex."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from lightning_imbal.contract import Batch
from lightning_imbal.modules.base_classifier import ImbalClassifier


class WithMetadata(ImbalClassifier):
    """A classifier whose head may get, beside the feature of the image, that of its attributes.

    Args:
        metadata_size: Width of the perceptron on the attributes; 0: there is none, and only the image is looked at.
        metadata_encoding: What each of the K numbers of `metadata` is; from the data, or the checkpoint.
        **kwargs: Arguments of `ImbalClassifier`.
    """

    metadata_dropout = 0.0  # share of the perceptron's numbers that are set to 0 in training
    no_metadata: Tensor

    def __init__(
        self,
        metadata_size: int = 0,
        metadata_encoding: list[dict[str, Any]] | None = None,
        **kwargs: Any,
    ) -> None:
        if metadata_size < 0:
            raise ValueError(f"metadata_size must not be negative, but is {metadata_size}.")
        if metadata_size and not metadata_encoding:
            raise ValueError(
                f"{type(self).__name__} looks at attributes of the images, and none is named: name columns of the "
                "label file, such as data.metadata_columns=sex,age, or choose Classifier."
            )
        self.features_beside = metadata_size
        super().__init__(**kwargs)
        self.metadata_encoding = metadata_encoding or []
        # Of an image of which nothing is known.
        no_metadata = torch.tensor([float("missing" in column) for column in self.metadata_encoding])
        self.register_buffer("no_metadata", no_metadata, persistent=False)
        self.perceptron = perceptron(len(no_metadata), metadata_size, self.metadata_dropout) if metadata_size else None

    @property
    def asks_beside_image(self) -> Sequence[str]:
        if self.perceptron is None:
            return ()
        return list(dict.fromkeys(column["attribute"] for column in self.metadata_encoding))

    def setup(self, stage: str) -> None:
        """Attributes become numbers as those that it was trained on, whatever the data are."""
        super().setup(stage)
        if data := self.datamodule:
            data.give_metadata(self.metadata_encoding if self.perceptron is not None else [])

    def forward(self, image: Tensor, metadata: Tensor | None = None) -> Tensor:
        """Returns logits (B, C) of images (B, 3, H, W) with attributes (B, K); None: nothing is known of them."""
        return self.head(self.feature(image, metadata))

    def feature(self, image: Tensor, metadata: Tensor | None = None) -> Tensor:
        """Returns what the head gets, (B, D): the feature of the image, then that of its attributes."""
        feature = self.backbone(image)
        if self.perceptron is None:
            return feature
        if metadata is None:
            metadata = self.no_metadata.expand(image.shape[0], -1)
        return torch.cat([feature, self.perceptron(metadata.to(self.no_metadata.dtype))], dim=1)

    def network(self, batch: Batch) -> nn.Module:
        """What gives the logits of a batch's images, in any number of views, with the attributes that they have."""
        return self if self.perceptron is None else _Beside(self, batch.get("metadata"))


def perceptron(in_features: int, size: int, dropout: float) -> nn.Sequential:
    """Two layers of `size` numbers, each with BatchNorm, ReLU and dropout."""
    return nn.Sequential(
        *(nn.Linear(in_features, size), nn.BatchNorm1d(size), nn.ReLU(), nn.Dropout(dropout)),
        *(nn.Linear(size, size), nn.BatchNorm1d(size), nn.ReLU(), nn.Dropout(dropout)),
    )


class _Beside(nn.Module):
    """A classifier beside the attributes of one batch: predictors know images alone."""

    def __init__(self, model: WithMetadata, metadata: Tensor | None) -> None:
        super().__init__()
        self.model, self.metadata = model, metadata

    def forward(self, image: Tensor) -> Tensor:
        return self.model(image, self.metadata)
