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
        self._means: dict[str, EpochMean] = {}
        self._latest: dict[str, Tensor] = {}  # losses of a training step
        self._images = 1  # of the batch at hand

    def __setattr__(self, name: str, value: Any) -> None:
        # Which hook runs is noted 40 times a step: a module's account of its parts would take as long as a small step.
        if name == "_current_fx_name":
            object.__setattr__(self, name, value)
        else:
            super().__setattr__(name, value)

    def _apply_batch_transfer_handler(self, batch: Any, *args: Any, **kwargs: Any) -> Any:
        batch = super()._apply_batch_transfer_handler(batch, *args, **kwargs)
        self._images = next((len(part) for part in batch.values() if isinstance(part, Tensor)), 1)
        return batch

    def setup(self, stage: str) -> None:
        """Forgets the steps of a training that broke off."""
        self._means, self._latest = {}, {}

    def log_loss(self, name: str, value: Tensor, anew: bool = False) -> None:
        """Logs the mean of an epoch over this device's batches: nothing waits for the device at each step.

        With the Trainer's `log_every_n_steps` also that of each n-th batch alone, as `<name>_step`.

        Not reduced over devices: losses are those of the batch of all of them, and the progress bar of the first one
        would ask for the reduction when the others do not.

        Args:
            name: As which it is logged.
            value: Of a batch, ().
            anew: Forgets the batches before it in the epoch.
        """
        mean = self._means.get(name) or self._means.setdefault(name, EpochMean())
        if not mean.images:  # the first batch of an epoch
            self.log(name, mean, on_step=False, on_epoch=True, prog_bar=True, metric_attribute=name)
        elif anew:
            mean.reset()
        mean.update(value, self._images)
        self._latest[name] = value.detach()
        if self._trainer and not self._trainer.training:
            self._log_steps()

    def log_losses(self, **losses: Tensor) -> None:
        """Logs the parts of a step's loss and their sum, each as `train/<name>`."""
        for name, value in losses.items():
            self.log_loss(f"train/{name}", value)

    def on_train_batch_end(self, outputs: Any, batch: Batch, batch_idx: int) -> None:
        """Logs the losses of a step of which the Trainer will write down what was logged."""
        if self.trainer._logger_connector.should_update_logs or self.trainer.fast_dev_run:  # type: ignore[attr-defined]  # as below
            self._log_steps()

    def _log_steps(self) -> None:
        if self.trainer.log_every_n_steps:  # type: ignore[attr-defined]  # set by Lightning
            for name, value in self._latest.items():
                self.log(f"{name}_step", value, on_step=True, on_epoch=False)
        self._latest = {}
