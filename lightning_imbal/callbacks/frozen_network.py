"""A frozen network stays as it is where weights are averaged."""

from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor, nn

from lightning_imbal.callbacks.base import model_of
from lightning_imbal.callbacks.of_training import averages


class FrozenNetwork(Callback):
    """Keeps a frozen backbone as it is, to the bit, where a callback averages weights.

    An average of equal weights differs from them by rounding, and Lightning's `StochasticWeightAveraging` sets the
    statistics of every BatchNorm back, in order to compute them anew in an epoch in which those of a frozen network
    stay as they are.
    """

    def __init__(self) -> None:
        self._kept: dict[str, Tensor] = {}

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Remembers the network, if anything averages."""
        if averages(trainer.callbacks):  # type: ignore[attr-defined]  # Lightning sets it, but does not declare it
            self._kept = {name: value.clone() for name, value in _backbone(pl_module).state_dict().items()}

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Puts it back after the statistics were reset."""
        if self._kept:
            _backbone(pl_module).load_state_dict(self._kept)

    def on_validation_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Puts it back into the average that is validated."""
        self.on_train_epoch_start(trainer, pl_module)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Puts it back into the average that training ends with."""
        self.on_train_epoch_start(trainer, pl_module)

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Puts it into the average that is kept."""
        checkpoint["state_dict"] |= {f"backbone.{name}": value for name, value in self._kept.items()}


def _backbone(pl_module: LightningModule) -> nn.Module:
    return model_of(pl_module).backbone
