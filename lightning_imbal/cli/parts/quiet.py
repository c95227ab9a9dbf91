"""Keeps messages of libraries that tell a user of this program nothing out of the terminal."""

import logging
import warnings

NOT_FOR_USERS = (
    r".*isinstance\(treespec, LeafSpec\).*",
    r"The number of training batches .* is smaller than the logging interval",  # nothing is logged per step
    r"Found \d+ module\(s\) in eval mode",  # the frozen backbone
    r"Total length of `list` across ranks is zero",  # a split without a validation part
    r"It is recommended to use `.*sync_dist=True`",  # the reports are already the same on every device
    r"Using `DistributedSampler` with the dataloaders",  # repeated images are dropped by the reports
    r"Experiment logs directory .* exists and is not empty",  # resuming keeps the earlier rows
    r"The '\w+_dataloader' does not have many workers",  # small pictures in memory are faster without
    r"torch.distributed.nn.functional.all_gather is deprecated",  # Lightning's call
    r"Be aware that when using `ckpt_path`, callbacks",  # `test` needs no ModelCheckpoint
    r"Checkpoint directory .* exists and is not empty",
    r"The dirpath has changed from",  # `test` writes no checkpoint
    r"`LightningModule.configure_optimizers` returned `None`",  # a head that is computed
    r"`training_step` returned `None`",
)

# Advertisements, and that a test brings the callbacks of a module again.
NOT_FOR_USERS_TO_LOG = (
    "Tip: For seamless",
    "The following callbacks returned in `LightningModule.configure_callbacks`",
)


def quiet() -> None:
    """Silences those warnings, and the advertisements that Lightning logs."""
    for message in NOT_FOR_USERS:
        warnings.filterwarnings("ignore", message=message)
    logging.getLogger("lightning.pytorch.utilities.rank_zero").addFilter(
        lambda record: not any(text in record.getMessage() for text in NOT_FOR_USERS_TO_LOG)
    )
