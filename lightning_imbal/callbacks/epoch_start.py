"""What happens when an epoch begins: schedules are told, random numbers are seeded."""

from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer

from lightning_imbal.callbacks.base import model_of
from lightning_imbal.seeding import epoch_generator, run_seed


class EpochStart(Callback):
    """Tells a module's schedules the epoch, and seeds random layers and mixers by (seed, epoch): a run can resume."""

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Tells schedules the epoch, counted from 1."""
        epoch, max_epochs = trainer.current_epoch + 1, trainer.max_epochs
        model_of(pl_module).set_epoch(epoch, max_epochs)  # type: ignore[arg-type]  # a Trainer makes None -1

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        """Seeds before the first batch."""
        # Not earlier: whether the loader's own draw comes before or after the epoch's start depends on the epoch.
        if batch_idx == 0:
            torch.manual_seed(epoch_generator(run_seed(), trainer.current_epoch).initial_seed() + trainer.global_rank)
