"""What a verb changes in its process, and puts back: messages of libraries, where classes are found, seeds."""

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from lightning_imbal.factories.own_classes import working_folder_searched

TOLD = "lightning.pytorch.utilities.rank_zero"  # where what a user is told is logged
NOT_FOR_USERS = (
    r".*isinstance\(treespec, LeafSpec\).*",
    r"The number of training batches .* is smaller than the logging interval",  # nothing is logged per step
    r"Found \d+ module\(s\) in eval mode",  # the frozen backbone
    r"Total length of `list` across ranks is zero",  # a split without a validation part
    r"It is recommended to use `self.log\(.*sync_dist=True\)`",  # the reports are already the same on every device
    r"Using `DistributedSampler` with the dataloaders",  # repeated images are dropped by the reports
    r"Experiment logs directory .* exists and is not empty",  # resuming keeps the earlier rows
    r"The number of unique classes is greater than 50% of the number of samples",  # scikit-learn: few images of a class
    r"A single label was found in '?`?y_true",  # scikit-learn: a part with one class, which the table shows
    r"The '\w+_dataloader' does not have many workers",  # small pictures in memory are faster without
    r"Consider setting `persistent_workers=True`",  # likewise
    r"torch.distributed.nn.functional.all_gather is deprecated",  # Lightning's call
    r"Be aware that when using `ckpt_path`, callbacks",  # `test` needs no ModelCheckpoint
    r"Checkpoint directory .* exists and is not empty",
    r"The dirpath has changed from",  # `test` writes no checkpoint
    r"`LightningModule.configure_optimizers` returned `None`",  # a head that is computed
    r"`training_step` returned `None`",
)

# Advertisements, what is as it should be, and that a test brings the callbacks of a module again.
NOT_FOR_USERS_TO_LOG = (
    "Trainer already configured with model summary callbacks",
    "TPU available: False",
    "Restoring states from the checkpoint path",  # of a test: what it is of is in the title of its table
    "Loaded model weights from the checkpoint",
    "`Trainer.fit` stopped: `max_epochs=",  # as it was asked to
    "Tip: For seamless",
    "The following callbacks returned in `LightningModule.configure_callbacks`",
)


@contextmanager
def quiet() -> Iterator[None]:
    """Silences those warnings, and the advertisements that Lightning logs; what is inside leaves nothing behind.

    Where users of this program keep classes of their own, the working folder, they are found. Afterwards the process is
    as it was: the search path, the environment with its seed, the random numbers, warnings and logs.
    """
    before = dict(os.environ)
    logger, hide = logging.getLogger(TOLD), _is_for_users
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # else importing it asks a server for its newest version
    os.environ.pop("PL_GLOBAL_SEED", None) if "LOCAL_RANK" not in os.environ else None
    logger.addFilter(hide)
    with ExitStack() as stack:
        stack.enter_context(working_folder_searched())
        stack.enter_context(warnings.catch_warnings())
        if "lightning.pytorch" in sys.modules:  # else nobody has drawn a number yet
            from lightning.pytorch.utilities.seed import isolate_rng

            stack.enter_context(isolate_rng())
        for message in NOT_FOR_USERS:
            warnings.filterwarnings("ignore", message=message)
        try:
            yield
        finally:
            logger.removeFilter(hide)
            os.environ.clear()
            os.environ.update(before)


def _is_for_users(record: logging.LogRecord) -> bool:
    return not any(text in record.getMessage() for text in NOT_FOR_USERS_TO_LOG)


@contextmanager
def overheard() -> Iterator[list[str]]:
    """Collects what is told meanwhile, instead of printing it."""
    told: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            told.append(record.getMessage())

    logger = logging.getLogger(TOLD)
    handlers, propagate, level = logger.handlers, logger.propagate, logger.level
    logger.handlers, logger.propagate = [Listener()], False
    logger.setLevel(logging.INFO)
    try:
        yield told
    finally:
        logger.handlers, logger.propagate = handlers, propagate
        logger.setLevel(level)
