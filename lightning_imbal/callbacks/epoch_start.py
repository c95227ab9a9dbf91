"""What happens when an epoch begins: schedules are told, random numbers are seeded."""

from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor

from lightning_imbal.callbacks.base import model_of
from lightning_imbal.seeding import epoch_generator, run_seed


class EpochStart(Callback):
    """Tells a module's schedules the epoch, and seeds random layers and mixers by (seed, epoch): a run can resume.

    A checkpoint within an epoch holds the random numbers of every process.
    """

    def __init__(self) -> None:
        self._told, self._restored = -1, torch.empty(0)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Tells schedules the epoch, counted from 1."""
        epoch, max_epochs = trainer.current_epoch + 1, trainer.max_epochs
        self._told = trainer.current_epoch
        model_of(pl_module).set_epoch(epoch, max_epochs)  # type: ignore[arg-type]  # a Trainer makes None -1

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        """Seeds before the first batch; in a training that goes on within an epoch, takes up what was drawn so far."""
        if self._told != trainer.current_epoch:  # Lightning does not say that an epoch begins which had begun
            self.on_train_epoch_start(trainer, pl_module)
        if batch_idx and len(self._restored):
            set_states(self._restored[trainer.global_rank % len(self._restored)], pl_module.device)
        self._restored = torch.empty(0)
        # Not earlier: whether the loader's own draw comes before or after the epoch's start depends on the epoch.
        if batch_idx == 0:
            torch.manual_seed(epoch_generator(run_seed(), trainer.current_epoch).initial_seed() + trainer.global_rank)

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Keeps the random numbers, if the epoch goes on after it."""
        if trainer.training and not trainer.is_last_batch:
            own = states(pl_module.device)
            gathered = pl_module.all_gather(own.to(pl_module.device)) if trainer.world_size > 1 else own
            checkpoint["random_numbers"] = gathered.reshape(-1, len(own)).cpu()  # type: ignore[union-attr]  # a tensor

    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Keeps them until the next batch."""
        self._restored = checkpoint.get("random_numbers", torch.empty(0))


def states(device: torch.device) -> Tensor:
    """The state of the generators of a process, its GPU's behind the CPU's, bytes (N,)."""
    of_gpu = [torch.cuda.get_rng_state(device)] if device.type == "cuda" else []
    return torch.cat([torch.get_rng_state(), *of_gpu])


def set_states(state: Tensor, device: torch.device) -> None:
    """Sets them again; those of a GPU only if there were any."""
    length = len(torch.get_rng_state())
    torch.set_rng_state(state[:length])
    if device.type == "cuda" and len(state) > length:
        torch.cuda.set_rng_state(state[length:], device)
