"""What is refused of the Trainer's options before anything is written."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from jsonargparse import Namespace
from lightning.pytorch.loggers.logger import DummyLogger

from lightning_imbal.cli.parts.trainer import build_trainer
from lightning_imbal.errors import UserError, refuse_below

LEAST = {
    **{"accumulate_grad_batches": 1, "check_val_every_n_epoch": 1, "min_epochs": 0, "min_steps": 0},
    **{"gradient_clip_val": 0, "log_every_n_steps": 0, "num_sanity_val_steps": -1},
}


def check_options(options: Namespace, batches: int) -> None:
    """Refuses options of a Trainer that it would refuse later, or that mean nothing.

    Args:
        options: Those of a stage, built.
        batches: Of an epoch.

    Raises:
        UserError: The message names the option.
    """
    if options.barebones or options.enable_checkpointing is False:
        name = "barebones is true" if options.barebones else "enable_checkpointing is false"
        raise UserError(f"trainer.{name}, but a run keeps checkpoints and curves: leave it out.")
    for name, least in LEAST.items():
        refuse_below(least, **{f"trainer.{name}": options[name]})
    every = options.val_check_interval
    if every == 0:
        raise UserError("trainer.val_check_interval is 0: give a number of batches, or a fraction of an epoch.")
    if isinstance(every, int) and options.check_val_every_n_epoch is not None and every > batches:
        raise UserError(f"trainer.val_check_interval is {every}, but an epoch has {batches} batches: give fewer.")
    with _silence():
        build_trainer({**options, "logger": [DummyLogger()], "callbacks": []})


@contextmanager
def _silence() -> Iterator[None]:
    """What a Trainer says when it is built, it says again when it is built for the training."""
    logger = logging.getLogger("lightning.pytorch.utilities.rank_zero")
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = False
