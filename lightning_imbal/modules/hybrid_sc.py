"""Hybrid network with a supervised contrastive branch."""

from typing import Any

from torch import Tensor

from lightning_imbal.contract import Batch
from lightning_imbal.losses.supcon import SupConLoss
from lightning_imbal.modules.base_contrastive import ContrastiveClassifier
from lightning_imbal.schedulers.parabolic_decay import parabolic_decay


class HybridSC(ContrastiveClassifier):
    """From contrastive learning on images as they come to a classifier on class-balanced ones, in one run.

    P. Wang, K. Han, X.-S. Wei, L. Zhang, L. Wang. Contrastive Learning Based Hybrid Networks for Long-Tailed Image
    Classification. CVPR 2021, "Hybrid-SC": the loss is a L_SC + (1 - a) L_CE, a = 1 - (T / T_max)^2 in the 0-based
    epoch T. The contrastive branch sees two views of a batch drawn as usual, the classifier another batch, `other`, for
    which the data's `paired_sampler` is `ClassPower` with `q = 0`. The classifier learns nothing in the first epoch.

    Equation:
        L = a `SupConLoss`(two views) + (1 - a) loss(z(x'), y')
        a = 1 - (T / T_max)^2 in the 0-based epoch T;   x': a class-balanced draw

    Limits:
        Three images where cross-entropy has one: about three times the work. The classifier learns nothing in the first
        epoch: a run of few epochs is short for it.

    Args:
        temperature: Temperature of the contrastive loss.
        **kwargs: Arguments of `ContrastiveClassifier`.
    """

    needs_pairs = True

    def __init__(self, temperature: float = 0.1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.contrast_loss = SupConLoss(temperature)
        self.share = 1.0

    def set_epoch(self, epoch: int, max_epochs: int) -> None:
        super().set_epoch(epoch, max_epochs)
        self.share = parabolic_decay(epoch - 1, max_epochs)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        _, embedding = self.encode(batch["image"])
        contrast = self.contrast_loss(self.gather(embedding), self.gather(batch["label"]))
        classification = self.batch_loss(self(batch["other"]["image"]), batch["other"]["label"])
        loss = self.share * contrast + (1 - self.share) * classification
        self.log_losses(classification=classification, contrast=contrast, loss=loss)
        return loss
