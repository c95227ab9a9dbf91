"""Losses that a training logs, at next to no cost for a step."""

from typing import Any

from torch import Tensor

from lightning_imbal.contract import Batch
from lightning_imbal.metrics.epoch_mean import EpochMean
from lightning_imbal.modules.base_devices import OverDevices


class LogsLosses(OverDevices):
    """A module that logs the losses of its steps."""

    def __init__(self) -> None:
        super().__init__()
        self._latest: dict[str, Tensor] = {}  # losses of the batch at hand
        self._means: dict[str, EpochMean] = {}

    def __setattr__(self, name: str, value: Any) -> None:
        # Which hook runs is noted 44 times a step: a module's account of its parts takes a tenth of a small step.
        if name == "_current_fx_name":
            object.__setattr__(self, name, value)
        else:
            super().__setattr__(name, value)

    def setup(self, stage: str) -> None:
        """Forgets the steps of a training that broke off."""
        self._latest, self._means = {}, {}

    def log_loss(self, name: str, value: Tensor) -> None:
        """Logs the mean of an epoch over this device's batches, once the batch at hand is done.

        With the Trainer's `log_every_n_steps` also that of each n-th batch alone, as `<name>_step`. Of a step that
        evaluates its loss again and again, the last evaluation counts. Nothing waits for the device.

        Not reduced over devices: losses are those of the batch of all of them, and the progress bar of the first one
        would ask for the reduction when the others do not.

        Args:
            name: As which it is logged.
            value: Of the batch at hand, ().
        """
        self._latest[name] = value.detach()

    def log_losses(self, **losses: Tensor) -> None:
        """Logs the parts of a step's loss and their sum, each as `train/<name>`."""
        for name, value in losses.items():
            self.log_loss(f"train/{name}", value)

    def on_train_batch_end(self, outputs: Any, batch: Batch, batch_idx: int) -> None:
        """Logs the losses of a step."""
        # Lightning's own callbacks ask it too whether it will write down what this step logs.
        self._log_batch(batch, self.trainer._logger_connector.should_update_logs)

    def on_validation_batch_end(self, outputs: Any, batch: Batch, batch_idx: int, dataloader_idx: int = 0) -> None:
        """Logs the losses of a batch of the validation part."""
        self._log_batch(batch, self.trainer.log_every_n_steps > 0)  # type: ignore[attr-defined]  # set by Lightning

    def _log_batch(self, batch: Batch, alone: bool) -> None:
        images = next((len(part) for part in batch.values() if isinstance(part, Tensor)), 1)
        for name, value in self._latest.items():
            if name not in self._means:
                self._means[name] = EpochMean()
            mean = self._means[name]
            if not mean.update_called:  # in this epoch
                self.log(name, mean, on_step=False, on_epoch=True, prog_bar=True, metric_attribute=name)
            mean.update(value, images)
            if alone:
                self.log(f"{name}_step", value, on_step=True, on_epoch=False)
        self._latest = {}
