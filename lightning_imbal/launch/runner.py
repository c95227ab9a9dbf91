"""Runs the jobs of a table, several at once, and goes on when one fails."""

import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from filelock import Timeout

from lightning_imbal.atomic_files import discard_halves
from lightning_imbal.launch.display import Display
from lightning_imbal.launch.job import Job
from lightning_imbal.launch.process import BUSY, lock_of

SECONDS_BETWEEN_LOOKS = 0.5
LINES_OF_LOG = 12


@dataclass(frozen=True)
class Failure:
    """A job that did not finish, why, and the end of what it printed."""

    job: Job
    reason: str
    log: list[str]


class Launcher(Protocol):
    """Starts jobs somewhere."""

    def has_room(self) -> bool:
        """Whether another job can be started now."""

    def start(self, job: Job) -> None:
        """Starts a job."""

    def ended(self) -> list[tuple[Job, int | str]]:
        """The jobs that have ended since the last call, with their exit status or what went wrong."""

    def stop(self) -> None:
        """Ends all that is running."""


def run(jobs: Iterable[Job], launcher: Launcher, display: Display) -> list[Failure]:
    """Runs every job that has not finished, each after the one that it needs.

    A job that another program is running is left to it and looked at again; one that fails does not stop the others.

    Args:
        jobs: Those that are needed by others first.
        launcher: Where to run them.
        display: Where to show it.
    """
    waiting = [job for job in jobs if not job.finished]
    running: list[Job] = []
    failures: list[Failure] = []
    display.begin(len(waiting))
    try:
        while waiting or running:
            elsewhere = 0
            for job in list(waiting):
                if not launcher.has_room():
                    break
                if job.finished:
                    waiting.remove(job)
                    display.ended(job, None)
                elif job.after is not None and job.after in [failure.job for failure in failures]:
                    waiting.remove(job)
                    failures.append(Failure(job, f"not run: it needs {job.after.name}, which failed", []))
                    display.ended(job, failures[-1].reason)
                elif job.after is None or job.after.finished:
                    if _busy(job):
                        elsewhere += 1
                        continue
                    waiting.remove(job)
                    running.append(job)
                    launcher.start(job)
                    display.started(job)
            for job, status in launcher.ended():
                running.remove(job)
                if status == BUSY:
                    waiting.append(job)
                    continue
                if not job.finished:
                    failures.append(Failure(job, _reason(status), _end_of(job.folder / "log.txt")))
                display.ended(job, None if job.finished else failures[-1].reason)
            display.update(running, elsewhere)
            time.sleep(SECONDS_BETWEEN_LOOKS)
    finally:
        launcher.stop()
        display.close()
    return failures


def discard_left_halves(jobs: Iterable[Job]) -> None:
    """Removes what processes that were killed when the results were there have left half written beside them."""
    for job in jobs:
        if job.finished and not _busy(job):
            discard_halves(job.folder)


def _busy(job: Job) -> bool:
    lock = lock_of(job.folder)
    try:
        lock.acquire()
    except Timeout:
        return True
    lock.release()
    return False


def _reason(status: int | str) -> str:
    if isinstance(status, str):
        return status
    if status < 0:
        name = signal.Signals(-status).name
        return f"killed by {name}" + (", as the system does when memory runs out" if name == "SIGKILL" else "")
    return f"ended with status {status}" if status else "ended without results"


def _end_of(log: Path) -> list[str]:
    return log.read_text(errors="replace").splitlines()[-LINES_OF_LOG:] if log.is_file() else []
