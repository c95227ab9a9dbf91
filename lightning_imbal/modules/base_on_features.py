"""A classifier on the features of a frozen backbone, whether the backbone makes them now or they were stored before."""

from pathlib import Path
from typing import Any

from torch import Tensor, nn

from lightning_imbal.contract import Batch, ImbalData
from lightning_imbal.errors import UserError
from lightning_imbal.modules.base_metadata import WithMetadata
from lightning_imbal.modules.base_stored import ON_PICTURES, network_facts, weights_digest, weights_in, with_features


class OnFeatures(WithMetadata):
    """What a batch of stored features is answered with, and whether they are those of the backbone."""

    backbone_ckpt: str | None
    begins_trained = False  # whether an earlier stage of the run trains the backbone

    def check_inference(self, data: ImbalData) -> None:
        super().check_inference(data)
        if not (stored := with_features(data)):
            return
        if self.predictor.asks_image:
            name = type(self.predictor).__name__
            raise UserError(
                f"{name} looks at pictures, and {stored.features} holds features alone: test by Plain, "
                f"TemperatureScaled or PostHocAdjusted, {ON_PICTURES}."
            )
        if self.perceptron is not None:
            raise UserError(
                f"{type(self).__name__} looks at attributes of the images, and {stored.features} holds "
                f"features of pictures alone: begin with a Classifier, {ON_PICTURES}."
            )

    def known_facts(self, image_size: int) -> dict[str, Any]:
        """What is known of the backbone before the training, as far as stored features depend on it."""
        if self.backbone_ckpt is not None:
            return {"weights": weights_digest(weights_in(Path(self.backbone_ckpt), self.backbone))}
        # Weights that a checkpoint brings are not here yet.
        return self.network_facts(image_size) if self.hparams.get("pretrained") else {}

    def network_facts(self, image_size: int) -> dict[str, Any]:
        """What stored features depend on of the backbone as it is."""
        return network_facts(self.backbone, self.hparams.get("backbone"), image_size)

    def check_stored(self) -> None:
        """Refuses stored features of another backbone than the one that it has now."""
        if stored := with_features(self.datamodule):
            stored.check_features(self.network_facts(stored.image_size))

    def on_fit_start(self) -> None:
        """Sees that stored features are those of its backbone, whose weights are all there now."""
        super().on_fit_start()
        self.check_stored()

    def on_validation_start(self) -> None:
        """Likewise before an evaluation."""
        super().on_validation_start()
        if self.trainer.state.fn in ("test", "validate"):
            self.check_stored()

    def logits(self, batch: Batch) -> Tensor:
        """Returns logits (B, C) of images or of stored features."""
        return self.head(batch["feature"]) if "feature" in batch else self(batch["image"], batch.get("metadata"))

    def probability(self, batch: Batch) -> Tensor:
        """Returns class probabilities (B, C) of images or of stored features."""
        if "feature" not in batch:
            return super().probability(batch)
        logits = self.logits(batch) if self.predictor.asks_image else self.predictor(self.head, batch["feature"])
        return logits.float().softmax(dim=1)

    def network(self, batch: Batch) -> nn.Module:
        """What gives the logits of a batch's images, or of their features."""
        return self.head if "feature" in batch else super().network(batch)
