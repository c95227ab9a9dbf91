"""The curves of a run as a CSV file."""

import csv
import os
from pathlib import Path

from lightning.pytorch.loggers import CSVLogger

from lightning_imbal.processes import is_first


def csv_logger(folder: Path) -> CSVLogger:
    """Logs to `folder/metrics.csv`; a stage that goes on from a checkpoint goes on below the rows that are there."""
    logger = CSVLogger(folder, name="", version="")
    if not is_first():
        return logger
    file, aside = folder / "metrics.csv", folder / "metrics.before_resume.csv"
    if not any(folder.glob("checkpoints/*.ckpt")):
        aside.unlink(missing_ok=True)
    elif file.exists() and not aside.exists():  # else an earlier start was killed here, and `aside` holds the rows
        os.replace(file, aside)
    writer = logger.experiment  # deletes any metrics.csv of an earlier run
    if aside.exists():
        _drop_half_a_line(aside)
        with aside.open(newline="") as rows:
            writer.metrics_keys = next(csv.reader(rows), [])
        os.replace(aside, file)
    return logger


def _drop_half_a_line(file: Path) -> None:
    """Takes away what a killed run has left behind the last whole line."""
    with file.open("rb+") as rows:
        rows.truncate(rows.read().rfind(b"\n") + 1)
