"""The curves of a run as a CSV file."""

import csv
import os
from pathlib import Path

from lightning.pytorch.loggers import CSVLogger
from lightning.pytorch.utilities import rank_zero_only

from lightning_imbal.atomic_files import write_whole
from lightning_imbal.processes import is_first, uninterrupted


class WholeRows(CSVLogger):
    """Lightning's CSVLogger, whose file has each row once and whole, whatever interrupts the writing."""

    @rank_zero_only
    def save(self) -> None:
        """Writes the rows that have been logged since the last time."""
        with uninterrupted():
            self._widen()
            super().save()

    def _widen(self) -> None:
        """Writes the file anew with all columns, if there are further ones: Lightning would empty it first."""
        writer, file = self.experiment, Path(self.experiment.metrics_file_path)
        keys = sorted({*writer.metrics_keys, *(key for row in writer.metrics for key in row)})
        if keys == writer.metrics_keys or not file.is_file():
            return
        with file.open(newline="") as before:
            rows = list(csv.DictReader(before))

        def write(path: Path) -> None:
            with path.open("w", newline="") as after:
                table = csv.DictWriter(after, fieldnames=keys)
                table.writeheader()
                table.writerows(rows)

        write_whole(file, write)
        writer.metrics_keys = keys


def csv_logger(folder: Path) -> CSVLogger:
    """Logs to `folder/metrics.csv`; a stage that goes on from a checkpoint goes on below the rows that are there."""
    logger = WholeRows(folder, name="", version="")
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
