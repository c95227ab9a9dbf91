"""Supervised contrastive learning with the classifier beside it."""

from typing import Any

from torch import Tensor

from lightning_imbal.contract import Batch
from lightning_imbal.losses.supcon import SupConLoss
from lightning_imbal.modules.base_contrastive import ContrastiveClassifier


class SCL(ContrastiveClassifier):
    """Supervised contrastive loss on two views of each image and cross-entropy on the first, trained in one stage.

    The loss of P. Khosla et al., Supervised Contrastive Learning, NeurIPS 2020, Eq. 2, as a rival of Zhang et al. 2023
    (Table 1, "SCL"). Trained in two stages it is `SupConRepresentation` with two views, then `FrozenHead`.

    Equation:
        L = ce_weight loss(z of view 1, y) + contrast_weight `SupConLoss`(all views)

    Limits:
        Two views of every image: about twice the work of cross-entropy.

    Args:
        temperature: Temperature of the contrastive loss.
        ce_weight: Multiplies the loss of the logits.
        contrast_weight: Multiplies the contrastive loss.
        **kwargs: Arguments of `ContrastiveClassifier`.
    """

    def __init__(
        self, temperature: float = 0.1, ce_weight: float = 1.0, contrast_weight: float = 1.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.contrast_loss = SupConLoss(temperature)
        self.ce_weight, self.contrast_weight = ce_weight, contrast_weight

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        feature, embedding = self.encode(batch["image"])
        classification = self.batch_loss(self.head(feature[:, 0]), batch["label"])
        contrast = self.contrast_loss(self.gather(embedding), self.gather(batch["label"]))
        loss = self.ce_weight * classification + self.contrast_weight * contrast
        self.log_losses(classification=classification, contrast=contrast, loss=loss)
        return loss
