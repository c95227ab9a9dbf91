"""Linear warm-up of the learning rate, step by step."""

from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from lightning_imbal.schedulers.step_rates import scale_steps


class LinearWarmup(Callback):
    """Raises the learning rate from 0 to that of the schedule over the first batches of a run.

    Chen et al. 2021, Section 3.1, which warms up in the first epoch. The 0-based batch `k` of the run is trained with
    the schedule's rate times `(k + 1) / total`, where `total` is `epochs` times the batches of an epoch. The factor
    holds only while the optimizer steps: schedulers, checkpoints and loggers see the rate of the schedule.

    Args:
        epochs: Length of the warm-up in epochs; may be a fraction.

    Raises:
        ValueError: `epochs` is not positive.
    """

    def __init__(self, epochs: float = 1.0) -> None:
        if not epochs > 0:
            raise ValueError(f"epochs must be positive, but is {epochs}: leave the callback out for no warm-up.")
        self.epochs = epochs
        self._factor = 1.0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Attaches the factor to the steps of the optimizers."""
        # Lightning steps the schedulers after the epoch's last optimizer step and before any other hook, and some of
        # them multiply the rate that they find.
        for optimizer in trainer.optimizers:
            scale_steps(optimizer, lambda group: self._factor)

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        """Computes the factor of the batch."""
        batches = trainer.num_training_batches
        self._factor = min((trainer.current_epoch * batches + batch_idx + 1) / (self.epochs * batches), 1.0)
