"""Balanced contrastive learning."""

from typing import Any

from torch import Tensor, nn

from lightning_imbal.contract import Batch
from lightning_imbal.heads.build import HeadFactory
from lightning_imbal.heads.cosine import NormedLinear
from lightning_imbal.losses.base import LossFactory
from lightning_imbal.losses.bcl import BCLLoss
from lightning_imbal.losses.logit_adjusted import LogitAdjusted
from lightning_imbal.losses.projection import Projection
from lightning_imbal.modules.base_contrastive import ContrastiveClassifier


class BCL(ContrastiveClassifier):
    """Logit-adjusted classifier on one view, balanced contrastive loss on the others and a prototype of each class.

    J. Zhu, Z. Wang, J. Chen, Y.-P. P. Chen, Y.-G. Jiang. Balanced Contrastive Learning for Long-Tailed Visual
    Recognition. CVPR 2022. The prototypes are the classifier's weights after a projection of their own. Layers, weights
    of the losses and cosine classifier are those of the released code for ImageNet.

    Equation:
        L = ce_weight loss(z of view 1, y)
            + contrast_weight `BCLLoss`(views 2 and 3, prototypes)

    Limits:
        Three views of every image: about three times the work of cross-entropy. It balances the losses, not how often
        images are seen.

    Args:
        temperature: Temperature of the contrastive loss.
        ce_weight: Multiplies the loss of the logits.
        contrast_weight: Multiplies the contrastive loss.
        hidden_size: Width of the projections' hidden layers.
        embedding_size: Size of the embedding.
        batch_norm: Whether the projections' hidden layers have BatchNorm.
        loss: Of the logits; built with the class counts.
        head: `NormedLinear` or `torch.nn.Linear`: a head with a weight vector for each class.
        **kwargs: Arguments of `ImbalClassifier`.

    Raises:
        ValueError: `temperature` is not positive, or `head` is another one.
    """

    min_views = 3

    def __init__(
        self,
        temperature: float = 0.1,
        ce_weight: float = 1.0,
        contrast_weight: float = 0.35,
        hidden_size: int = 2048,
        embedding_size: int = 1024,
        batch_norm: bool = True,
        loss: LossFactory = LogitAdjusted,
        head: HeadFactory = NormedLinear,
        **kwargs: Any,
    ) -> None:
        super().__init__(hidden_size, embedding_size, batch_norm, loss=loss, head=head, **kwargs)
        if not isinstance(self.head, nn.Linear | NormedLinear):
            name = type(self.head).__name__
            raise ValueError(f"BCL projects the weights of its head, but is given {name}: set NormedLinear or Linear.")
        self.prototype_projection = Projection(self.feature_size, hidden_size, embedding_size, batch_norm=batch_norm)
        self.contrast_loss = BCLLoss(temperature)
        self.ce_weight, self.contrast_weight = ce_weight, contrast_weight

    def prototypes(self) -> Tensor:
        """Returns a unit-length prototype of each class, shape (C, E)."""
        weight = self.head.weight.T if isinstance(self.head, NormedLinear) else self.head.weight
        return self.prototype_projection(weight)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        feature, embedding = self.encode(batch["image"])
        classification = self.batch_loss(self.head(feature[:, 0]), batch["label"])
        contrast = self.contrast_loss(self.gather(embedding[:, 1:]), self.gather(batch["label"]), self.prototypes())
        loss = self.ce_weight * classification + self.contrast_weight * contrast
        self.log_losses(classification=classification, contrast=contrast, loss=loss)
        return loss
