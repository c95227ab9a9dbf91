"""Runs the jobs of a table, several at once, and goes on when one fails."""

import signal
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from rich.markup import escape

from lightning_imbal.atomic_files import discard_halves
from lightning_imbal.launch.display import Display
from lightning_imbal.launch.job import Job
from lightning_imbal.launch.machine import SHARED
from lightning_imbal.launch.process import BUSY, is_busy

SECONDS_BETWEEN_LOOKS = 0.5
LINES_OF_LOG = 12


@dataclass(frozen=True)
class Failure:
    """A job that did not finish.

    Args:
        job: Which.
        reason: Why, in words.
        log: The end of what it printed.
        of_itself: Whether it has ended by itself, and not because it was killed or lost: it would do so again.
    """

    job: Job
    reason: str
    log: list[str]
    of_itself: bool = False


class Ended(NamedTuple):
    """A job that ended: with which exit status or what went wrong, and on which machine if not on this one."""

    job: Job
    status: int | str
    machine: str = ""


class Missing(NamedTuple):
    """A machine that lacks what jobs need, in words: it gets none, and what it was to run is BUSY."""

    machine: str
    told: str


class Gone(Exception):
    """What runs the jobs is not there any more; the message says what."""


class Launcher(Protocol):
    """Starts jobs somewhere."""

    def has_room(self) -> bool:
        """Whether another job can be started now."""

    def start(self, job: Job) -> None:
        """Starts a job."""

    def ended(self) -> Sequence[Ended | Missing]:
        """The jobs that have ended since the last call, and the machines that are left out since then."""

    def stop(self) -> None:
        """Ends all that is running."""


def run(
    jobs: Iterable[Job],
    launcher: Launcher,
    display: Display,
    further: Callable[[list[Failure]], list[Job]] = lambda failures: [],
) -> list[Failure]:
    """Runs every job that has not finished, each after the one that it needs.

    A job that another program is running is left to it and looked at again; one that fails does not stop the others.
    Where the launcher has gone, what it ran has failed.

    Args:
        jobs: Those that are needed by others first.
        launcher: Where to run them.
        display: Where to show it.
        further: Called again and again with what has failed: jobs that depend on what others have found.
    """
    work = _Work(launcher, display, [job for job in jobs if not job.finished])
    display.begin(len(work.waiting))
    try:
        while True:
            work.waiting += further(work.failures)
            if not (work.waiting or work.running):
                break
            elsewhere = work.start()
            work.collect()
            display.update(work.running, elsewhere)
            time.sleep(SECONDS_BETWEEN_LOOKS)
    except Gone as gone:
        again = "what is finished is kept, and the same command goes on when it is there again"
        display.console.print(f"[bold red]{escape(str(gone))}[/]: {again}.", highlight=False, soft_wrap=True)
        work.failures += [Failure(job, str(gone), []) for job in work.running or work.waiting]
    finally:
        launcher.stop()
        display.close()
    return work.failures


@dataclass
class _Work:
    """The jobs that wait, that run, and that have failed."""

    launcher: Launcher
    display: Display
    waiting: list[Job]
    running: list[Job] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    def start(self) -> int:
        """Starts what there is room for, and returns how many jobs another program runs."""
        elsewhere = 0
        for job in list(self.waiting):
            if not self.launcher.has_room():
                break
            if job.finished:
                self.waiting.remove(job)
                self.display.ended(job, None)
            elif failed := [failure.job for failure in self.failures if failure.job in job.needs]:
                self.waiting.remove(job)
                self._fail(Failure(job, f"not run: it needs {failed[0].name}, which failed", []))
            elif all(each.finished for each in job.needs):
                if is_busy(job.folder):
                    elsewhere += 1
                    continue
                self.waiting.remove(job)
                self.running.append(job)
                self.launcher.start(job)
                self.display.started(job)
        return elsewhere

    def collect(self) -> None:
        """Takes up what has ended."""
        for event in self.launcher.ended():
            if isinstance(event, Missing):
                self.display.left_out(event.machine, event.told)
                continue
            job, status, machine = event
            self.running.remove(job)
            if status == BUSY:
                self.waiting.append(job)
            elif job.finished:
                self.display.ended(job, None, machine)
            else:
                of_itself = isinstance(status, int) and status > 0
                self._fail(Failure(job, _reason(status, machine), _end_of(job.folder / "log.txt"), of_itself))

    def _fail(self, failure: Failure) -> None:
        self.failures.append(failure)
        self.display.ended(failure.job, failure.reason)


def discard_left_halves(jobs: Iterable[Job]) -> None:
    """Removes what programs that were killed when the results were there have left beside them."""
    for job in jobs:
        if job.finished and not is_busy(job.folder):
            discard_halves(job.folder)
            for token in job.folder.glob(f"{SHARED}*"):
                token.unlink(missing_ok=True)


def _reason(status: int | str, machine: str) -> str:
    if isinstance(status, str):
        how = status
    elif status < 0:
        name = signal.Signals(-status).name
        how = f"killed by {name}" + (", as the system does when memory runs out" if name == "SIGKILL" else "")
    else:
        how = f"ended with status {status}" if status else "ended without results"
    return f"on {machine}: {how}" if machine else how


def _end_of(log: Path) -> list[str]:
    return log.read_text(errors="replace").splitlines()[-LINES_OF_LOG:] if log.is_file() else []
