"""Classifier: one-stage training with any loss, any sampler and any mixer."""

from typing import Any

from torch import Tensor

from lightning_imbal.contract import Batch
from lightning_imbal.factories.build import build
from lightning_imbal.losses.of_others import refusal_of_weights
from lightning_imbal.mixers.base import MixerFactory, shuffled
from lightning_imbal.modules.base_classifier import ImbalClassifier


class Classifier(ImbalClassifier):
    """Backbone and classifier trained together: the baseline of every paper (CE), and each of its one-stage rivals.

    Args:
        mixer: Built with the class counts; mixes the images of a batch before the network sees them.
        **kwargs: Arguments of `ImbalClassifier`.
    """

    def __init__(self, mixer: MixerFactory | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mixer = build(mixer, class_counts=self.class_counts) if mixer else None
        self.needs_pairs = self.mixer is not None and self.mixer.needs_pairs
        if self.mixer and not self.loss.weighs_images:
            raise ValueError(refusal_of_weights(self.loss))

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor | None:
        if self.mixer is None:
            return super().training_step(batch, batch_idx)
        with self.same_draws(batch_idx):
            image, parts = self.mixer(batch, batch.get("other") if self.needs_pairs else self.partners(batch))
        logits = self.gather(self(image))
        losses = (self.loss(logits, self.gather(label), self.gather(weight)) for label, weight in parts)
        loss = sum(losses, logits.new_zeros(()))
        self.log_loss("train/loss", loss)
        return loss

    def partners(self, batch: Batch) -> Batch:
        """The images that those of this device are mixed with: another each of the batch of all devices, or itself."""
        whole: Batch = {"image": self.gather(batch["image"]), "label": self.gather(batch["label"])}
        return shuffled(whole, self.global_rank, len(whole["label"]) // len(batch["label"]))
