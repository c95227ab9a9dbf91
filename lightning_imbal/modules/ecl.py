"""ECL, Zhang et al. 2023."""

from collections.abc import Iterable
from typing import Any, Literal

import torch
import torch.nn.functional as F
from lightning.pytorch import Callback
from torch import Tensor, nn

from lightning_imbal.callbacks.proxy_cycle import ProxyCycleUpdate
from lightning_imbal.contract import Batch
from lightning_imbal.errors import UserError
from lightning_imbal.losses.base import LossFactory
from lightning_imbal.losses.bhp import BHPLoss, hybrid_proxy_counts
from lightning_imbal.losses.bwce import BWCE
from lightning_imbal.modules.base_contrastive import ContrastiveClassifier


class ECL(ContrastiveClassifier):
    """Classifier and contrastive branch on one backbone; learned proxies stand in for the rare classes of a batch.

    Y. Zhang, J. Chen, K. Wang, F. Xie. ECL: Class-Enhancement Contrastive Learning for Long-Tailed Skin Lesion
    Classification. MICCAI 2023, Algorithm 1: the loss is mu L_BWCE, of the logits of an image's first view, plus
    lambda L_BHP, of the embeddings of all its views and the proxies. A rare class has more proxies than a frequent one
    (Eq. 1); they are brought to unit length before they are used. Not in the paper but in the released code: BatchNorm
    in the embedding head, and that each view passes the network by itself, with batch statistics of its own.

    Equation:
        L = ce_weight loss(z of view 1, y)
            + bhp_weight `BHPLoss`(embeddings of all views, proxies)
        proxies of class c = 1 if n_c = n_max, else floor(n_max / (10 n_c)) + 2
        n_max: the largest n_c

    Limits:
        Two views of every image: about twice the work of cross-entropy. With `cycle_update`, 16-mixed precision is
        refused; bf16-mixed is fine.

    Args:
        temperature: Of the BHP loss; 0.1 in the released code.
        ce_weight: mu.
        bhp_weight: lambda.
        proxies: Proxies of each class: `hybrid` as in Eq. 1, or a number for all classes.
        cycle_update: Whether the proxies take one step an epoch (see `ProxyCycleUpdate`); else they take one with every
            step of the network, by its optimizer.
        hidden_size: Width of the embedding head's hidden layer.
        embedding_size: Size of the embedding and of the proxies.
        batch_norm: Whether the embedding head's hidden layer has BatchNorm.
        loss: Of the logits; built with the class counts.
        **kwargs: Arguments of `ImbalClassifier`.

    Raises:
        ValueError: `temperature` or `proxies` is not positive.
    """

    def __init__(
        self,
        temperature: float = 0.01,
        ce_weight: float = 2.0,
        bhp_weight: float = 1.0,
        proxies: Literal["hybrid"] | int = "hybrid",
        cycle_update: bool = True,
        hidden_size: int = 128,
        embedding_size: int = 128,
        batch_norm: bool = True,
        loss: LossFactory = BWCE,
        **kwargs: Any,
    ) -> None:
        super().__init__(hidden_size, embedding_size, batch_norm, loss=loss, **kwargs)
        if proxies != "hybrid" and proxies < 1:
            raise ValueError(f"proxies must be hybrid or at least 1, but is {proxies}.")
        if not (ce_weight >= 0 and bhp_weight >= 0 and ce_weight + bhp_weight > 0):
            raise ValueError(f"ce_weight and bhp_weight must not be negative, but are {ce_weight} and {bhp_weight}.")
        self.batch_norm = batch_norm
        self.bhp_loss = BHPLoss(temperature)
        self.ce_weight, self.bhp_weight, self.cycle_update = ce_weight, bhp_weight, cycle_update
        counts = hybrid_proxy_counts(self.class_counts) if proxies == "hybrid" else [proxies] * len(self.class_names)
        label = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
        self.register_buffer("proxy_label", label, persistent=False)
        self.proxies = nn.Parameter(nn.init.xavier_uniform_(torch.empty(len(label), embedding_size)))

    def encode(self, image: Tensor) -> tuple[Tensor, Tensor]:
        if self.training and len(image) == 1 and self.batch_norm:
            raise UserError(
                "ECL's embedding head has BatchNorm, which needs at least 2 images on each device: set a larger "
                "batch_size, or model.batch_norm=false."
            )
        views = [super(ECL, self).encode(view[:, None]) for view in image.unbind(dim=1)]
        feature, embedding = (torch.cat(parts, dim=1) for parts in zip(*views, strict=True))
        return feature, embedding

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        feature, embedding = self.encode(batch["image"])
        bwce = self.batch_loss(self.head(feature[:, 0]), batch["label"])
        proxy = F.normalize(self.proxies, dim=1)
        bhp = self.bhp_loss(self.gather(embedding), self.gather(batch["label"]), proxy, self.proxy_label)
        loss = self.bhp_weight * bhp + self.ce_weight * bwce
        self.log_losses(classification=bwce, contrast=bhp, loss=loss)
        return loss

    def trained_parameters(self) -> Iterable[nn.Parameter]:
        apart = {self.proxies} if self.cycle_update else set()
        return [parameter for parameter in self.parameters() if parameter not in apart]

    def configure_callbacks(self) -> list[Callback]:
        """Brings the cycle update."""
        return super().configure_callbacks() + ([ProxyCycleUpdate()] if self.cycle_update else [])
