"""One display for all jobs of a table: lines that move in a terminal, a line per event elsewhere."""

import csv
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from lightning_imbal.errors import UserError
from lightning_imbal.launch.job import Job
from lightning_imbal.runs.folder import stages_in
from lightning_imbal.runs.stage import Stage


class Display:
    """Shows how far the jobs are.

    Args:
        console: Where to show it.
    """

    def __init__(self, console: Console) -> None:
        self.console, self._began = console, time.monotonic()
        self._started: dict[Job, float] = {}
        self._lines: dict[Job, TaskID] = {}
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[state]}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._all = self.progress.add_task("all runs", state="")
        self._number = self._done = 0
        self._waits = False

    def begin(self, number: int) -> None:
        """Starts with so many jobs to run."""
        self._number = number
        if number:
            self.progress.update(self._all, total=number)
            self.progress.start()

    def started(self, job: Job) -> None:
        """Shows that a job runs."""
        self._started[job] = time.monotonic()
        self._lines[job] = self.progress.add_task(f"  {escape(job.name)}", total=None, state="starting")
        if not self.console.is_terminal:
            self._say(f"started {job.name}")

    def ended(self, job: Job, failure: str | None) -> None:
        """Shows that a job ended, here or elsewhere."""
        self._done += 1
        if job in self._lines:
            self.progress.remove_task(self._lines.pop(job))
        self.progress.update(self._all, completed=self._done)
        how, began = f"failed ({failure})" if failure else "finished", self._started.pop(job, None)
        after = "" if failure else " elsewhere"
        if began is not None:
            after = f" after {timedelta(seconds=round(time.monotonic() - began))}"
        self._say(f"{how} {job.name}{after}, {self._done} of {self._number}")

    def update(self, running: Sequence[Job], elsewhere: int) -> None:
        """Shows the epochs of the running jobs, and how many are left to another program."""
        if elsewhere and not running and not self._waits:
            self._say(f"waiting for another program, which runs {elsewhere}")
        self._waits = elsewhere > 0 and not running
        for job in set(self._lines) - set(running):
            self.progress.remove_task(self._lines.pop(job))
        if not self.console.is_terminal:
            return
        for job in running:
            stage, epoch, epochs = epochs_of(job.folder)
            if epochs:
                self.progress.update(self._lines[job], completed=epoch, total=epochs, state=f"epochs of {stage}")
        state = f"{elsewhere} run elsewhere" if elsewhere else self._remaining()
        self.progress.update(self._all, state=state)

    def close(self) -> None:
        """Ends the display."""
        self.progress.stop()

    def _remaining(self) -> str:
        if not self._done:
            return ""
        seconds = (time.monotonic() - self._began) / self._done * (self._number - self._done)
        return f"about {timedelta(seconds=round(seconds))} left"

    def _say(self, line: str) -> None:
        self.progress.console.print(escape(line), highlight=False, soft_wrap=True)


def epochs_of(run: Path) -> tuple[str, int, int]:
    """The stage that a run is in, its finished epochs, and its epochs in all (0 if it has not begun)."""
    stages = [stage for stage in map(Stage, stages_in(run)) if stage.config_file.is_file()]
    if not stages:
        return "", 0, 0
    stage = stages[-1]
    try:
        epochs = stage.config()["trainer"]["max_epochs"] or 0
        with stage.curves_file.open(newline="") as file:
            seen = [int(row["epoch"]) for row in csv.DictReader(file) if row.get("epoch")]
    except (OSError, TypeError, KeyError, ValueError, UserError):  # being written at this moment
        return stage.name, 0, 0
    # The test after training counts as a further epoch.
    return stage.name, min(max(seen, default=-1) + 1, epochs), epochs
