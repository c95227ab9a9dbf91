"""Runs the jobs of a table, several at once, and goes on when one fails."""

import signal
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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
    """A job that did not finish, why, and the end of what it printed."""

    job: Job
    reason: str
    log: list[str]


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


def run(jobs: Iterable[Job], launcher: Launcher, display: Display) -> list[Failure]:
    """Runs every job that has not finished, each after the one that it needs.

    A job that another program is running is left to it and looked at again; one that fails does not stop the others.
    Where the launcher has gone, what it ran has failed.

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
                    if is_busy(job.folder):
                        elsewhere += 1
                        continue
                    waiting.remove(job)
                    running.append(job)
                    launcher.start(job)
                    display.started(job)
            for event in launcher.ended():
                if isinstance(event, Missing):
                    line = f"machine {event.machine} is left out: {event.told}. It is asked again every minute."
                    display.console.print(escape(line), style="yellow", highlight=False, soft_wrap=True)
                    continue
                job, status, machine = event
                running.remove(job)
                if status == BUSY:
                    waiting.append(job)
                    continue
                if not job.finished:
                    failures.append(Failure(job, _reason(status, machine), _end_of(job.folder / "log.txt")))
                display.ended(job, None if job.finished else failures[-1].reason, machine)
            display.update(running, elsewhere)
            time.sleep(SECONDS_BETWEEN_LOOKS)
    except Gone as gone:
        again = "what is finished is kept, and the same command goes on when it is there again"
        display.console.print(f"[bold red]{escape(str(gone))}[/]: {again}.", highlight=False, soft_wrap=True)
        failures += [Failure(job, str(gone), []) for job in running or waiting]
    finally:
        launcher.stop()
        display.close()
    return failures


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
