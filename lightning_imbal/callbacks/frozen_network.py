"""A frozen network stays as it is where weights are averaged."""

from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor

from lightning_imbal.callbacks.base import model_of


class FrozenNetwork(Callback):
    """Keeps a frozen backbone as it is, to the bit, where a callback averages weights.

    An average of equal weights differs from them by rounding, and Lightning's `StochasticWeightAveraging` sets the
    statistics of every BatchNorm back, in order to compute them anew in an epoch in which those of a frozen network
    stay as they are.
    """

    def __init__(self) -> None:
        self._kept: dict[str, dict[str, Tensor]] = {}  # states of what is frozen, by its name

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Remembers the network."""
        self._kept = {
            name: {key: value.clone() for key, value in part.state_dict().items()}
            for name, part in model_of(pl_module).frozen.items()
        }

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Puts it back after the statistics were reset."""
        for name, state in self._kept.items():
            model_of(pl_module).frozen[name].load_state_dict(state)

    def on_validation_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Puts it back into the average that is validated."""
        self.on_train_epoch_start(trainer, pl_module)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Puts it back into the average that training ends with."""
        self.on_train_epoch_start(trainer, pl_module)

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Puts it into the average that is kept."""
        for name, state in self._kept.items():
            checkpoint["state_dict"] |= {f"{name}.{key}": value for key, value in state.items()}
