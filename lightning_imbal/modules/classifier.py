"""Classifier: one-stage training with any loss and any sampler."""

from torch import Tensor

from lightning_imbal.modules.base import Batch, ImbalClassifier


class Classifier(ImbalClassifier):
    """Backbone and classifier trained together: the baseline of every paper (CE), and each of its weighted kin."""

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        loss = self.loss(self(batch["image"]), batch["label"])
        self.log_loss("train/loss", loss)
        return loss
