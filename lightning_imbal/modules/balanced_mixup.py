"""Balanced-MixUp, Galdran et al. 2021."""

from typing import Any

from torch import Tensor

from lightning_imbal.contract import Batch
from lightning_imbal.mixers.balanced_mixup import BalancedMixUp
from lightning_imbal.modules.base_classifier import ImbalClassifier
from lightning_imbal.predictors.base import PredictorFactory
from lightning_imbal.predictors.flip_tta import FlipTTA


class BalancedMixUpClassifier(ImbalClassifier):
    """Trains on mixtures of an image as they come and one of a class-balanced draw; tests on an image and its mirror.

    A. Galdran, G. Carneiro, M. A. Gonzalez Ballester. Balanced-MixUp for Highly Imbalanced Medical Image
    Classification. MICCAI 2021, section 2.3 and Eq. 3. The printed equation gives most weight to the class-balanced
    image; as in the text, in Fig. 3 and in the released code it is the other one that gets most. A batch needs its
    class-balanced `other`: `paired_sampler` of the data is `ClassPower` with `q = 0`.

    Args:
        alpha: The class-balanced image has the weight lambda ~ Beta(alpha, 1), one for each batch.
        predictor: Section 2.4: the probabilities of an image and its mirror image are averaged.
        **kwargs: Arguments of `ImbalClassifier`.
    """

    needs_pairs = True

    def __init__(self, alpha: float = 0.2, predictor: PredictorFactory = FlipTTA, **kwargs: Any) -> None:
        super().__init__(predictor=predictor, **kwargs)
        self.mixer = BalancedMixUp(self.class_counts, alpha)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        with self.same_draws(batch_idx):
            image, [own, balanced] = self.mixer(batch, batch.get("other"))
        logits = self.gather(self(image))
        loss = self.loss(logits, *map(self.gather, own)) + self.loss(logits, *map(self.gather, balanced))
        self.log_loss("train/loss", loss)
        return loss
