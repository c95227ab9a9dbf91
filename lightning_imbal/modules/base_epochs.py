"""What of a module is defined for one number of epochs alone."""

from collections.abc import Iterator

from torch.optim.lr_scheduler import ReduceLROnPlateau

from lightning_imbal.losses.base import ImbalancedLoss
from lightning_imbal.modules.base import ImbalModule
from lightning_imbal.modules.base_optimizers import make_step


def bound_to_epochs(model: ImbalModule, before: int, now: int) -> Iterator[str]:
    """Names what would have been another from the first epoch on with another number of epochs.

    A module or a loss is, if it listens to the epoch and the number of epochs (`set_epoch`); a schedule is, if its
    settings or its rates are others.

    Args:
        model: The module.
        before: Number of epochs that it was trained for.
        now: Another one.
    """
    schedules = [_schedule(model, max_epochs, min(before, now)) for max_epochs in (before, now)]
    if schedules[0] != schedules[1]:
        yield schedules[0][0]
    for loss in model.losses():
        if type(loss).set_epoch is not ImbalancedLoss.set_epoch:
            yield type(loss).__name__
    if type(model).set_epoch is not ImbalModule.set_epoch:
        yield type(model).__name__


def _schedule(model: ImbalModule, max_epochs: int, epochs: int) -> tuple[str, str, list[list[float]]]:
    """Name, settings and first rates of the schedule over a number of epochs; empty without one."""
    optimizers = model.build_optimizers(max_epochs)
    if not isinstance(optimizers, tuple):
        return "", "", []
    [optimizer], [scheduled] = optimizers
    scheduler, settings = scheduled["scheduler"], str(scheduled["scheduler"].state_dict())
    rates = []
    if not isinstance(scheduler, ReduceLROnPlateau):
        for _ in range(epochs):
            rates.append(scheduler.get_last_lr())
            make_step(optimizer)
            scheduler.step()
    return type(scheduler).__name__, settings, rates
