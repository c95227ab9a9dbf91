"""Stops a training that has diverged."""

from lightning.pytorch import Callback, LightningModule, Trainer

from lightning_imbal.errors import UserError


class DivergenceGuard(Callback):
    """Refuses to go on, or to hand on a network, once the training loss of an epoch is no number.

    It looks once an epoch, at the epoch before: looking at each step would wait for the device.

    Raises:
        UserError: The loss has become infinite or NaN.
    """

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Looks at the epoch before."""
        self._refuse(trainer)
        super().on_train_epoch_start(trainer, pl_module)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Looks at the last epoch."""
        self._refuse(trainer)

    def _refuse(self, trainer: Trainer) -> None:
        loss = trainer.callback_metrics.get("train/loss")
        if loss is not None and not loss.isfinite():
            raise UserError(
                f"The training loss has become {loss.item()} by epoch {trainer.current_epoch}: "
                "lower the learning rate, or clip gradients (trainer.gradient_clip_val=1)."
            )
