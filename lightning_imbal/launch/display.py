"""One display for all jobs of a table: lines that move in a terminal, a line per event elsewhere."""

import csv
import math
import time
from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import lru_cache
from pathlib import Path

from rich.console import Console, RenderableType
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from lightning_imbal.errors import UserError
from lightning_imbal.launch.job import Job
from lightning_imbal.runs.folder import stages_in
from lightning_imbal.runs.stage import Stage

SECONDS_BETWEEN_READS = 3.0  # of the files of a run
RUNS_READ = 4096  # whose files are remembered


class _Lines(Progress):
    """A line for all runs and, below, as many as the terminal has room for."""

    def get_renderables(self) -> Iterable[RenderableType]:
        """The lines, and how many more there would be."""
        # While it is made, there are no lines and no console yet.
        room = max(1, self.console.height - 2) if self.tasks else 0
        yield self.make_tasks_table(self.tasks[:room])
        if more := len(self.tasks[room:]):
            yield Text(f"  and {more} more")


class Display:
    """Shows how far the jobs are.

    Args:
        console: Where to show it.
        later: How many jobs will come up beside those that it begins with.
    """

    def __init__(self, console: Console, later: int = 0) -> None:
        self.console, self._later, self._began = console, later, time.monotonic()
        self._started: dict[Job, float] = {}
        self._read: dict[Job, float] = {}
        self._lines: dict[Job, TaskID] = {}
        self.progress = _Lines(
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
        self._number = number + self._later
        if self._number:
            self.progress.update(self._all, total=self._number)
            self.progress.start()

    def started(self, job: Job) -> None:
        """Shows that a job runs."""
        self._started[job] = time.monotonic()
        name, room = job.name, self.console.width // 3
        if len(name) > room:  # the end says which seed it is
            name = f"…{name[1 - room :]}"
        self._lines[job] = self.progress.add_task(f"  {escape(name)}", total=None, state="starting")
        if not self.console.is_terminal:
            self._say(f"started {job.name}")

    def ended(self, job: Job, failure: str | None, machine: str = "") -> None:
        """Shows that a job ended, here or on another machine; a failure says itself on which."""
        self._done += 1
        if job in self._lines:
            self.progress.remove_task(self._lines.pop(job))
        self.progress.update(self._all, completed=self._done)
        how, began = f"failed ({failure})" if failure else "finished", self._started.pop(job, None)
        after = "" if failure else " elsewhere"
        if began is not None:
            after = f" after {timedelta(seconds=round(time.monotonic() - began))}"
        where = f" on {machine}" if machine else ""
        self._say(f"{how} {job.name}{where}{after}, {self._done} of {self._number}")

    def update(self, running: Sequence[Job], elsewhere: int) -> None:
        """Shows the epochs of the running jobs, and how many are left to another program."""
        if elsewhere and not running and not self._waits:
            self._say(f"waiting for another program, which runs {elsewhere}")
        self._waits = elsewhere > 0 and not running
        for job in set(self._lines) - set(running):
            self.progress.remove_task(self._lines.pop(job))
        if not self.console.is_terminal:
            return
        now = time.monotonic()
        for job in running:
            if now - self._read.get(job, -math.inf) < SECONDS_BETWEEN_READS:
                continue
            self._read[job] = now
            stage, epoch, epochs = epochs_of(job.folder)
            if epochs:
                self.progress.update(self._lines[job], completed=epoch, total=epochs, state=f"epochs of {stage}")
        state = f"{elsewhere} run elsewhere" if elsewhere else self._remaining()
        self.progress.update(self._all, state=state)

    def left_out(self, machine: str, why: str) -> None:
        """Shows that a machine gets no jobs for a while."""
        self._say(f"machine {machine} is left out: {why}. It is asked again every minute.", style="yellow")

    def close(self) -> None:
        """Ends the display."""
        self.progress.stop()

    def _remaining(self) -> str:
        if not self._done:
            return ""
        # At the end of one of several runs, the others are halfway on average.
        done = self._done + max(0, len(self._lines) - 1) / 2
        seconds = (time.monotonic() - self._began) / done * (self._number - done)
        return f"about {timedelta(seconds=round(seconds))} left"

    def _say(self, line: str, style: str = "none") -> None:
        self.progress.console.print(escape(line), style=style, highlight=False, soft_wrap=True)


def epochs_of(run: Path) -> tuple[str, int, int]:
    """The stage that a run is in, its finished epochs, and its epochs in all (0 if it has not begun)."""
    stages = [stage for stage in map(Stage, stages_in(run)) if stage.config_file.is_file()]
    if not stages:
        return "", 0, 0
    stage = stages[-1]
    try:
        epochs = _epochs_asked(stage.config_file, _version(stage.config_file))
        epoch = _last_epoch(stage.curves_file, _version(stage.curves_file))
    except (OSError, TypeError, KeyError, ValueError, UserError):  # being written at this moment
        return stage.name, 0, 0
    # The test after training counts as a further epoch.
    return stage.name, min(epoch + 1, epochs), epochs


def _version(file: Path) -> tuple[int, int]:
    state = file.stat()
    return state.st_mtime_ns, state.st_size


@lru_cache(RUNS_READ)
def _epochs_asked(config: Path, version: tuple[int, int]) -> int:
    return Stage(config.parent).config()["trainer"]["max_epochs"] or 0


@lru_cache(RUNS_READ)
def _last_epoch(curves: Path, version: tuple[int, int]) -> int:
    with curves.open(newline="") as file:
        return max((int(row["epoch"]) for row in csv.DictReader(file) if row.get("epoch")), default=-1)
