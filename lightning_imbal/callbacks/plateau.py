"""Steps schedules that wait for a score of the validation part."""

from lightning.pytorch import Callback, LightningModule, Trainer
from torch.optim.lr_scheduler import ReduceLROnPlateau


class PlateauSteps(Callback):
    """Steps a schedule that waits for a score as soon as the score is there.

    Lightning would step it after the checkpoint of the epoch is saved: a run that resumes would lose the step.
    """

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Hands the score to the schedule."""
        if trainer.state.fn != "fit" or trainer.sanity_checking:
            return
        for config in trainer.lr_scheduler_configs:
            if isinstance(config.scheduler, ReduceLROnPlateau) and config.monitor is not None:
                config.scheduler.step(trainer.callback_metrics[config.monitor])
