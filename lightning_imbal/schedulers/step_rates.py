"""Rates that are multiplied while an optimizer steps, and are those of the schedule at all other times."""

from collections.abc import Callable
from typing import Any

from torch.optim import Optimizer

SCHEDULED = "scheduled_lr"  # the rate of the schedule, in a group while it steps with another


def scale_steps(optimizer: Optimizer, factor: Callable[[dict[str, Any]], float]) -> None:
    """Multiplies the rate of every parameter group by a factor while the optimizer steps.

    Schedules, checkpoints and loggers see the rate of the schedule, which may be the product of itself and a number.
    Several factors are multiplied with each other.

    Args:
        optimizer: Gets a hook before and one after its steps.
        factor: Of a group.
    """

    def scale(optimizer: Optimizer, *_: Any) -> None:
        for group in optimizer.param_groups:
            group.setdefault(SCHEDULED, group["lr"])
            group["lr"] = group["lr"] * factor(group)

    def restore(optimizer: Optimizer, *_: Any) -> None:
        for group in optimizer.param_groups:
            group["lr"] = group.pop(SCHEDULED, group["lr"])

    optimizer.register_step_pre_hook(scale)
    optimizer.register_step_post_hook(restore)
