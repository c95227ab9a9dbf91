"""Predictions of images without labels, from all devices."""

from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor

from lightning_imbal.callbacks.base import model_of
from lightning_imbal.metrics.report import ImbalReport


class CollectPredictions(Callback):
    """Gathers what `predict` finds: each image once, whichever device saw it.

    Attributes:
        found: At the end "index" (N,), ascending, and "probability" (N, C), on the CPU.
    """

    found: dict[str, Tensor]
    _report: ImbalReport

    def on_predict_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begins anew."""
        names = model_of(pl_module).class_names
        self._report = ImbalReport([1] * len(names), names).to(pl_module.device)

    def on_predict_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, *_: int
    ) -> None:
        """Keeps the probabilities of a batch."""
        self._report.update(outputs, torch.zeros_like(batch["index"]), batch["index"])

    def on_predict_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Joins those of all devices."""
        self.found = self._report.predictions()
        self._report.reset()
