"""Sends pictures through a backbone that is not trained, and hands on what it makes of them."""

from collections.abc import Callable
from typing import Any

import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn

from lightning_imbal.contract import Batch
from lightning_imbal.data.normalize import Normalize


class FeatureEncoder(LightningModule):
    """A backbone alone, for `Trainer.predict`.

    Args:
        backbone: Pictures (B, 3, H, W) to features (B, D).
        normalize: How pictures are normalised.
        take: Gets the features of each batch, (B, D) float32, on the CPU.
    """

    def __init__(self, backbone: nn.Module, normalize: Normalize, take: Callable[[Tensor], None]) -> None:
        super().__init__()
        self.backbone, self.normalize, self.take = backbone, normalize, take

    def _apply_batch_transfer_handler(
        self, batch: Any, device: torch.device | None = None, dataloader_idx: int = 0
    ) -> Batch:
        batch = super()._apply_batch_transfer_handler(batch, device, dataloader_idx)
        return self.normalize.batch(batch, self.dtype)  # type: ignore[arg-type]  # no text, whatever Lightning declares

    def predict_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Hands on the features of a batch; Lightning gets their rows, since it takes nothing for a mistake."""
        feature = self.backbone(batch["image"])
        self.take(feature.to(torch.promote_types(feature.dtype, torch.float32)).cpu())
        return batch["index"]
