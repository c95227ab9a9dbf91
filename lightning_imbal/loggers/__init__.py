"""Where the curves of a run go: a CSV file always, Weights & Biases (W&B) beside it."""

from lightning_imbal.loggers.csv_file import csv_logger
from lightning_imbal.loggers.weights_and_biases import (
    TolerantWandbLogger,
    finish_wandb,
    tables_in_folder_of,
    wandb_logger,
    without_wandb_if_it_fails,
)

__all__ = [
    "TolerantWandbLogger",
    "csv_logger",
    "finish_wandb",
    "tables_in_folder_of",
    "wandb_logger",
    "without_wandb_if_it_fails",
]
