"""The curves of a run as a CSV file."""

import csv
import os
from pathlib import Path

from lightning.pytorch.loggers import CSVLogger

from lightning_imbal.processes import is_first


def csv_logger(folder: Path) -> CSVLogger:
    """Logs to `folder/metrics.csv`; a resumed run goes on below the rows that are already there."""
    logger = CSVLogger(folder, name="", version="")
    if not is_first():
        return logger
    file, aside = folder / "metrics.csv", folder / "metrics.before_resume.csv"
    if file.exists() and not aside.exists():  # else an earlier start was killed here, and `aside` holds the rows
        os.replace(file, aside)
    writer = logger.experiment  # deletes any metrics.csv of an earlier run
    if aside.exists():
        with aside.open(newline="") as rows:
            writer.metrics_keys = next(csv.reader(rows), [])
        os.replace(aside, file)
    return logger
