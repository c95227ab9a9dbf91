"""Callbacks with which the check looks into a training."""

import json
import time
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer

from gpu_check.peak import peak_bytes, reset_peak


class PeakMemory(Callback):
    """Writes the most memory that a stage took, in bytes, to `peak.json` in its folder."""

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Forgets what was taken before."""
        reset_peak(trainer.strategy.root_device.type)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Writes it."""
        peak = peak_bytes(trainer.strategy.root_device.type)
        Path(trainer.default_root_dir, "peak.json").write_text(json.dumps(peak))


class FirstStep(Callback):
    """Keeps loss and gradients of the first training step.

    Attributes:
        loss: The loss, shape ().
        gradients: By the parameters' names.
    """

    def __init__(self) -> None:
        self.loss = torch.zeros(())
        self.gradients: dict[str, torch.Tensor] = {}

    def on_after_backward(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Keeps the gradients before the optimizer sees them."""
        named = pl_module.named_parameters()
        self.gradients = {name: p.grad.detach().cpu().double() for name, p in named if p.grad is not None}

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Keeps the loss."""
        self.loss = outputs["loss"].detach().cpu().double()


class Rate(Callback):
    """Measures the images per second of a training between two moments at which the device has caught up.

    Args:
        batch_size: Images of a batch.
        warm_up: Batches before the first moment: those that loader processes had ready must be used up.
        seconds: Time between the moments; then the training ends.

    Attributes:
        images_per_second: What was measured.
    """

    def __init__(self, batch_size: int, warm_up: int, seconds: float) -> None:
        self.batch_size, self.warm_up, self.seconds = batch_size, warm_up, seconds
        self.images_per_second = 0.0
        self._began = 0.0

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Looks at the clock."""
        if batch_idx + 1 == self.warm_up:
            torch.cuda.synchronize()
            self._began = time.perf_counter()
        elif batch_idx + 1 > self.warm_up and time.perf_counter() - self._began > self.seconds:
            torch.cuda.synchronize()
            images = (batch_idx + 1 - self.warm_up) * self.batch_size
            self.images_per_second = images / (time.perf_counter() - self._began)
            trainer.should_stop = True


class Profiled(Callback):
    """Keeps the names of all events of some training steps, on the CPU and on the GPU, from torch's profiler.

    Args:
        first: 0-based number of the first step.
        steps: How many.

    Attributes:
        names: What happened, in no particular order.
    """

    def __init__(self, first: int, steps: int) -> None:
        self.first, self.steps = first, steps
        self.names: list[str] = []
        self._profile = torch.profiler.profile()

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        """Starts the profiler before the first step, and stops it after the last."""
        if batch_idx == self.first:
            torch.cuda.synchronize()
            self._profile.start()
        elif batch_idx == self.first + self.steps:
            self._profile.stop()
            self.names = [event.name for event in self._profile.events()]
            trainer.should_stop = True
