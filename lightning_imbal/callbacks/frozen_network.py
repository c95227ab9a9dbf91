"""A frozen network stays as it is where weights are averaged."""

from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor

from lightning_imbal.callbacks.base import model_of


class FrozenNetwork(Callback):
    """Keeps what is frozen of a network as it is, to the bit, where a callback averages weights.

    An average of equal weights differs from them by rounding, and Lightning's `StochasticWeightAveraging` sets the
    statistics of every BatchNorm back, in order to compute them anew in an epoch in which those of a frozen network
    stay as they are.
    """

    def __init__(self) -> None:
        self._kept: dict[str, Tensor] = {}  # what is frozen, by its names in the state of the module

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Remembers the network."""
        self._kept = {name: value.clone() for name, value in model_of(pl_module).frozen_tensors().items()}

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Puts it back after the statistics were reset."""
        own = model_of(pl_module).frozen_tensors()
        with torch.no_grad():
            for name, value in self._kept.items():
                own[name].copy_(value)

    def on_validation_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Puts it back into the average that is validated."""
        self.on_train_epoch_start(trainer, pl_module)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Puts it back into the average that training ends with."""
        self.on_train_epoch_start(trainer, pl_module)

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Puts it into the average that is kept."""
        checkpoint["state_dict"] |= self._kept
