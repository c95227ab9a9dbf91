"""Late fusion of an image with attributes of its patient, Gessert et al. 2020."""

from typing import Any

import torch
from torch import Tensor

from lightning_imbal.contract import Batch, ImbalData
from lightning_imbal.errors import UserError
from lightning_imbal.modules.base_metadata import WithMetadata


class MetadataClassifier(WithMetadata):
    """A classifier on the feature of the image beside that of its attributes, such as age, sex and site.

    N. Gessert, M. Nielsen, M. Shaikh, R. Werner, A. Schlaefer. Skin Lesion Classification Using Ensembles of
    Multi-Resolution EfficientNets with Meta Data. MethodsX 7, 2020. A perceptron of two layers makes a feature of the
    attributes that `data.metadata_columns` names, and the head gets both side by side. Words are one-hot, numbers have
    a mean of 0 and a standard deviation of 1 over the training part, and each attribute has a further input that is 1
    where it is missing. In training each attribute of each image is taken for missing with probability
    `drop_attribute`, so that the network learns to do without it.

    Three things are simpler here: network and perceptron are trained together, where the paper first trains the network
    alone and then keeps it; there is no further layer of 1,024 between both features and the classifier; and a missing
    value has an input of its own, where the released code has -5 for an age and zeros for words.

    Equation:
        z = head([f(x), g(m)]),   g: two layers of Linear, BatchNorm, ReLU, dropout
        m: attributes of the image x; in training, some are taken for missing

    Limits:
        What an attribute tells of the class in one hospital need not hold in another: compare the scores of subgroups.
        A batch of one image cannot be trained on. An exported file, and `predict` on a folder, know no attributes.

    Args:
        metadata_size: Width of the perceptron on the attributes.
        metadata_dropout: Share of the perceptron's numbers that are set to 0 in training.
        drop_attribute: Probability with which an attribute of a training image is taken for missing.
        **kwargs: Arguments of `ImbalClassifier`.
    """

    attribute: Tensor  # which one each of the K numbers is of

    def __init__(
        self, metadata_size: int = 256, metadata_dropout: float = 0.4, drop_attribute: float = 0.1, **kwargs: Any
    ) -> None:
        if metadata_size < 1:
            raise ValueError(f"metadata_size must be at least 1, but is {metadata_size}: without it, take Classifier.")
        if not 0 <= drop_attribute <= 1:
            raise ValueError(f"drop_attribute must be from 0 to 1, but is {drop_attribute}.")
        self.metadata_dropout = metadata_dropout
        super().__init__(metadata_size=metadata_size, **kwargs)
        self.drop_attribute = drop_attribute
        number = {name: number for number, name in enumerate(self.asks_beside_image)}
        attribute = torch.tensor([number[column["attribute"]] for column in self.metadata_encoding])
        self.register_buffer("attribute", attribute, persistent=False)

    def check(self, data: ImbalData) -> None:
        super().check(data)
        if getattr(data, "batch_size", 2) == 1:
            raise UserError(
                "MetadataClassifier cannot be trained on batches of one image, over which its BatchNorm takes no mean: "
                "set data.batch_size=2, or more."
            )

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        metadata = batch.get("metadata")
        logits = self(batch["image"], None if metadata is None else self.with_some_missing(metadata))
        loss = self.batch_loss(logits, batch["label"])
        self.log_loss("train/loss", loss)
        return loss

    def with_some_missing(self, metadata: Tensor) -> Tensor:
        """Attributes (B, K) of which each of an image's is taken for missing with probability `drop_attribute`."""
        drawn = torch.rand(len(metadata), len(self.asks_beside_image), device=metadata.device) < self.drop_attribute
        return torch.where(drawn[:, self.attribute], self.no_metadata.to(metadata.dtype), metadata)
