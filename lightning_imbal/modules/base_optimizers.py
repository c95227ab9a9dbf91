"""Optimizers and schedules of torch, timm or the user: built by the names of their parameters, and tried."""

from collections.abc import Callable
from inspect import isclass
from typing import Any

import torch
from lightning.pytorch import Trainer
from torch import nn
from torch.optim import LBFGS, Optimizer
from torch.optim.lr_scheduler import ChainedScheduler, CyclicLR, LRScheduler, OneCycleLR, SequentialLR

from lightning_imbal.errors import UserError
from lightning_imbal.factories.build import build, name_of, open_parameters, target_of
from lightning_imbal.wording import first_line

SchedulerFactory = Callable[[Optimizer, int], LRScheduler]
OF_SCHEDULERS = (SequentialLR, ChainedScheduler)
BY_STEP = (OneCycleLR, CyclicLR)


def build_schedule(
    factory: SchedulerFactory, optimizer: Optimizer, max_epochs: int, steps: Callable[[], int]
) -> dict[str, Any]:
    """Builds a schedule, and says how it is stepped, as Lightning wants to know it.

    Args:
        factory: A class gets the number of epochs as `max_epochs`, `T_max` or `total_iters`, that of steps as
            `total_steps`, where they were left open. A function gets the optimizer and the number of epochs.
        optimizer: What it steps.
        max_epochs: Number of epochs.
        steps: Tells the number of steps, where it is asked for.

    Raises:
        UserError: It is made of other schedules, which a configuration cannot hold.
        ValueError: It refuses its arguments.
    """
    target = target_of(factory)
    if isclass(target) and issubclass(target, OF_SCHEDULERS):
        raise UserError(
            f"{target.__name__} is made of schedules that are built already: choose WarmupCosine, CosineCycles or "
            "Steps, or a class of your own."
        )
    lengths = dict.fromkeys(("max_epochs", "T_max", "total_iters"), max_epochs)
    left_open = open_parameters(factory)
    if "total_steps" in left_open and {"epochs", "steps_per_epoch"} & left_open:
        lengths["total_steps"] = steps()
    scheduler = build(factory, optimizer=optimizer, **lengths)
    try:
        scheduler.state_dict()
    except AttributeError as error:  # of a built-in function
        raise UserError(
            f"The state of {type(scheduler).__name__} cannot be saved ({error}): give a function of your own."
        ) from error
    interval = "step" if isinstance(scheduler, BY_STEP) else "epoch"
    return {"scheduler": scheduler, "interval": interval, "monitor": getattr(scheduler, "monitor", None)}


def check_search(trainer: Any) -> None:
    """Refuses a Trainer, or its options, that would mislead an optimizer which searches; UserError says the mend."""
    if trainer.gradient_clip_val:
        raise UserError("trainer.gradient_clip_val would change the slopes along which LBFGS searches: set it to null.")
    if str(trainer.precision) in ("16", "16-mixed"):
        raise UserError(
            "LBFGS knows nothing of the scaled loss of 16-mixed precision: set trainer.precision=32-true or bf16-mixed."
        )


def make_step(optimizer: Optimizer) -> None:
    """Makes a step along the gradients that there are."""
    if isinstance(optimizer, LBFGS):
        optimizer.step(lambda: 0.0)
    else:
        optimizer.step()


def kept_score(trainer: Trainer) -> str | None:
    """The score by which a Trainer keeps the best epoch, if it does so."""
    monitors = (getattr(callback, "monitor", None) for callback in trainer.checkpoint_callbacks)
    return next(filter(None, monitors), None)


def searches(factory: Callable[..., Optimizer]) -> bool:
    """Whether a step of an optimizer evaluates the loss of its batch again and again."""
    target = target_of(factory)
    return isclass(target) and issubclass(target, LBFGS)


def check_optimizer(factory: Callable[..., Optimizer], whole_batches: bool = False) -> None:
    """Refuses an optimizer that cannot make a plain step, or a search along batches that differ; UserError says why.

    Args:
        factory: Builds it.
        whole_batches: Whether a batch is the whole training part.
    """
    if searches(factory) and not whole_batches:
        raise UserError(
            f"{name_of(factory)} searches along the loss of one batch, which is sound only of the whole training part: "
            "it is for a FrozenHead on stored features (model.cache_views=1), elsewhere choose another, such as SGD."
        )
    parameter = nn.Parameter(torch.zeros(2, 2))
    try:
        optimizer = build(factory, params=[parameter])
        settings = optimizer.param_groups[0]
        if not 0 < settings.get("lr", 1) < float("inf"):
            raise ValueError(f"The learning rate is {settings['lr']}, which trains nothing: give more than 0.")
        if not settings.get("momentum", 0) < 1:
            raise ValueError(f"momentum must be below 1, but is {settings['momentum']}.")
        parameter.grad = torch.ones(2, 2)
        make_step(optimizer)
    except ValueError as error:
        raise UserError(str(error)) from error
    except Exception as error:  # each has its own
        raise UserError(
            f"{name_of(factory)} makes no step from a gradient alone ({first_line(error)}): choose another optimizer, "
            "such as torch.optim.SGD or torch.optim.AdamW."
        ) from error
