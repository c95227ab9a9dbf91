"""What is refused of a schedule before training starts."""

from typing import Any

from jsonargparse import Namespace
from torch.optim.lr_scheduler import OneCycleLR, ReduceLROnPlateau

from lightning_imbal.errors import UserError
from lightning_imbal.modules.base import ImbalModule
from lightning_imbal.score_names import lower_is_better


def check_schedule(scheduled: dict[str, Any], steps: int, config: Namespace, model: ImbalModule) -> None:
    """Refuses a schedule over fewer steps than there are, and one that takes the worst score for the best.

    Args:
        scheduled: The schedule and the score that it names, as Lightning gets them.
        steps: Of the whole training.
        config: That of the stage.
        model: What is trained.

    Raises:
        UserError: The message says the mend.
    """
    scheduler = scheduled["scheduler"]
    name = type(scheduler).__name__
    if isinstance(scheduler, OneCycleLR) and not _shortened(config.trainer) and scheduler.total_steps < steps:
        raise UserError(
            f"{name} has {scheduler.total_steps} steps, but the training has {steps}: leave total_steps open."
        )
    if not isinstance(scheduler, ReduceLROnPlateau):
        return
    score = scheduled["monitor"] or (config.monitor if model.classifies else None)
    if score is None:
        raise UserError(
            f"{name} waits for a score, but none is monitored: set --monitor val/f1, or choose "
            "--model.scheduler Plateau --model.scheduler.monitor SCORE."
        )
    lowest = score == "val/loss" or lower_is_better(score.removeprefix("val/"))
    best = config.monitor_mode if score == config.monitor else "min" if lowest else "max"
    if scheduler.mode != best:
        raise UserError(
            f"{name} takes the {scheduler.mode}imum of {score} for the best, which is the {best}imum: "
            f"set model.scheduler.mode={best}."
        )


def _shortened(trainer: Namespace) -> bool:
    """Whether a training may have fewer steps than its epochs have."""
    limits = (trainer.max_steps != -1, trainer.max_time, trainer.limit_train_batches, trainer.overfit_batches)
    return any(limits) or bool(trainer.fast_dev_run)
