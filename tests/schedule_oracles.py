"""Learning rates of a schedule, epoch by epoch."""

from collections.abc import Callable

import torch
from torch import nn
from torch.optim import SGD, Optimizer
from torch.optim.lr_scheduler import LRScheduler

SchedulerFactory = Callable[[Optimizer, int], LRScheduler]


def new_optimizer(*base: float) -> SGD:
    return SGD([{"params": [nn.Parameter(torch.zeros(1))], "lr": lr} for lr in base], lr=1.0)


def rates(make: SchedulerFactory, max_epochs: int, *base: float) -> list[tuple[float, ...]]:
    """The rate of each parameter group in each epoch."""
    optimizer = new_optimizer(*base)
    scheduler, found = make(optimizer, max_epochs), []
    for _ in range(max_epochs):
        found.append(tuple(group["lr"] for group in optimizer.param_groups))
        optimizer.step()
        scheduler.step()
    return found
