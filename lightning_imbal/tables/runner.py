"""Runs the jobs of a table, several at once, and goes on when one fails."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from filelock import Timeout

from lightning_imbal.command_line import to_options
from lightning_imbal.tables.display import Display
from lightning_imbal.tables.jobs import Job
from lightning_imbal.tables.process import BUSY, lock_of

SECONDS_BETWEEN_LOOKS = 0.5
LINES_OF_LOG = 12
MAX_WORKERS = 8  # loader processes


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


class LocalLauncher:
    """Runs each job as a process of this machine.

    Args:
        jobs: How many run at once; they share the processors, and each gets one of the devices.
        devices: GPUs by number; a single job at a time may use all.
    """

    def __init__(self, jobs: int, devices: Iterable[str] = ()) -> None:
        self.jobs, self.devices = jobs, list(devices)
        self._running: dict[Job, tuple[subprocess.Popen, int]] = {}

    def has_room(self) -> bool:
        """Whether another job can be started now."""
        return len(self._running) < self.jobs

    def start(self, job: Job) -> None:
        """Starts a job."""
        slot = min(set(range(self.jobs)) - {slot for _, slot in self._running.values()})
        environment = {}
        if self.jobs > 1 and self.devices:
            environment["CUDA_VISIBLE_DEVICES"] = self.devices[slot % len(self.devices)]
        self._running[job] = start_process(job, processors(self.jobs), environment), slot

    def ended(self) -> list[tuple[Job, int | str]]:
        """The jobs that have ended since the last call, with their exit status."""
        ended = [(job, process.poll()) for job, (process, _) in self._running.items()]
        ended = [(job, status) for job, status in ended if status is not None]
        for job, _ in ended:
            del self._running[job]
        return ended

    def stop(self) -> None:
        """Ends all that is running."""
        for process, _ in self._running.values():
            end(process)
        self._running.clear()


def processors(jobs: int) -> int:
    """The share of this machine's processors that each of several jobs has."""
    return max(1, len(os.sched_getaffinity(0)) // jobs)


def start_process(job: Job, processors: int, environment: dict[str, str] | None = None) -> subprocess.Popen:
    """Starts the process of a job with its share of the processors; what it prints goes to `log.txt` in its folder."""
    command = job.command()
    about = {
        "folder": str(job.folder),
        "parent": os.getpid(),
        "record": {"identity": job.identity, "command": command},
        "start": str(job.after.folder) if job.after is not None and job.arguments[0] == "fit" else None,
    }
    job.folder.mkdir(parents=True, exist_ok=True)
    settings = {"trainer.enable_progress_bar": False}
    if not job.sets_workers:
        settings["data.num_workers"] = min(processors, MAX_WORKERS)
    labels = job.labels.environment() if job.labels else {}
    with (job.folder / "log.txt").open("a") as log:
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "lightning_imbal.tables.process",
                json.dumps(about),
                *command,
                *to_options(settings),
            ],
            env={"OMP_NUM_THREADS": str(processors), **labels, **os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def end(process: subprocess.Popen) -> None:
    """Ends a process and those that it started; every finished epoch is kept."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def run(jobs: Iterable[Job], launcher: Launcher, display: Display) -> list[Failure]:
    """Runs every job that has not finished, each after the one that it needs.

    A job that another program is running is left to it and looked at again; one that fails does not stop the others.

    Args:
        jobs: Those that are needed by others first.
        launcher: Where to run them.
        display: Where to show it.
    """
    waiting, running, failures = [job for job in jobs if not job.finished], [], []
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
                elif job.after in [failure.job for failure in failures]:
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
