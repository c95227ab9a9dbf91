"""Bilateral-branch network, Zhou et al. 2020."""

from typing import Any

import torch
from torch import Tensor, nn

from lightning_imbal.backbones.twin import TwinBlock, twin_last_block
from lightning_imbal.contract import Batch
from lightning_imbal.heads.build import HeadFactory
from lightning_imbal.modules.base_classifier import ImbalClassifier
from lightning_imbal.schedulers.parabolic_decay import parabolic_decay


class BBN(ImbalClassifier):
    """Two last blocks, one for images as they come and one for rare classes, between which the training shifts.

    B. Zhou, Q. Cui, X.-S. Wei, Z.-M. Chen. BBN: Bilateral-Branch Network with Cumulative Learning for Long-Tailed
    Visual Recognition. CVPR 2020, Eq. 1, 3 and 5. The backbone is shared but for its last block, which is there twice.
    The first sees the batch; the second sees its `other`, for which `paired_sampler` of the data is `Reversed`, in a
    forward pass of its own. With their features f and g, of size D, the logits are head(2 [a f, (1 - a) g]) by a head
    of 2 D inputs, and the loss is a L(logits, label) + (1 - a) L(logits, other label).

    Cumulative learning: a = 1 - (T / T_max)^2 with the epoch T counted from 0 as in the released code, and T_max that
    of the Trainer; the code takes 100 and 200 for runs of 90 and 180 epochs. So the loss has no gradient for the second
    block in the first epoch. At inference the head gets [f, g] of the same image, which is a = 0.5.

    Both blocks start from the same weights, those of ImageNet if the backbone has them. The paper doubles the last
    residual block of a ResNet; `twin_last_block` finds that of other networks, or refuses them.

    Equation:
        z = head(2 [a f(x), (1 - a) g(x')]),   L = a L(z, y) + (1 - a) L(z, y')
        a = 1 - (T / T_max)^2 in the 0-based epoch T
        x: an image as it comes, x': one of the reversed draw

    Limits:
        Two forward passes a step, and a network whose last block can be taken twice: others are refused.

    Args:
        head: Built with twice the feature size and the number of classes.
        **kwargs: Arguments of `ImbalClassifier`.

    Raises:
        UserError: The backbone has no last block that could be taken twice.
    """

    needs_pairs = True
    features_of_image = 2

    def __init__(self, head: HeadFactory = nn.Linear, **kwargs: Any) -> None:
        super().__init__(head=head, **kwargs)
        twin_last_block(self.backbone)
        self.share = 1.0

    def forward(self, image: Tensor) -> Tensor:
        feature = self.backbone(image)  # (2 B, D), branch by branch
        return self.head(feature.view(2, -1, feature.shape[1]).transpose(0, 1).flatten(1))

    def set_epoch(self, epoch: int, max_epochs: int) -> None:
        super().set_epoch(epoch, max_epochs)
        self.share = parabolic_decay(epoch - 1, max_epochs)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        other = batch["other"]
        feature, other_feature = self.branch_feature(batch["image"], 0), self.branch_feature(other["image"], 1)
        feature = 2 * torch.cat([self.share * feature, (1 - self.share) * other_feature], dim=1)
        logits = self.gather(self.head(feature))
        loss = self.share * self.loss(logits, self.gather(batch["label"]))
        loss = loss + (1 - self.share) * self.loss(logits, self.gather(other["label"]))
        self.log_loss("train/loss", loss)
        return loss

    def branch_feature(self, image: Tensor, branch: int) -> Tensor:
        """Returns features (B, D) of images (B, 3, H, W) by the first (0) or the second (1) of the two blocks."""
        # Not kept as an attribute: the checkpoint would hold its weights twice.
        twin = next(module for module in self.backbone.modules() if isinstance(module, TwinBlock))
        twin.branch = branch
        try:
            return self.backbone(image)
        finally:
            twin.branch = None
