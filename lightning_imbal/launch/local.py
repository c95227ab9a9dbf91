"""Runs jobs as processes of this machine."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress

from lightning_imbal.command_line import to_options
from lightning_imbal.launch.job import Job
from lightning_imbal.launch.runner import Ended
from lightning_imbal.launch.warm import Fork, Server, ServerGone

MAX_WORKERS = 8  # loader processes
FORKS = sys.platform == "linux"  # elsewhere what has imported everything may not be forked
Process = subprocess.Popen[bytes] | Fork


class LocalLauncher:
    """Runs each job as a process of this machine.

    Args:
        jobs: How many run at once; they share the processors, and each gets one of the devices.
        devices: GPUs by number; a single job at a time may use all.
        server: Forks their processes; without one, each is a new process.
    """

    def __init__(self, jobs: int, devices: Iterable[str] = (), server: Server | None = None) -> None:
        self.jobs, self.devices, self._server = jobs, list(devices), server
        self._running: dict[Job, tuple[Process, int]] = {}

    def has_room(self) -> bool:
        """Whether another job can be started now."""
        return len(self._running) < self.jobs

    def start(self, job: Job) -> None:
        """Starts a job."""
        slot = min(set(range(self.jobs)) - {slot for _, slot in self._running.values()})
        environment = {}
        if self.jobs > 1 and self.devices:
            environment["CUDA_VISIBLE_DEVICES"] = self.devices[slot % len(self.devices)]
        self._running[job] = start_process(job, processors(self.jobs), environment, self._server), slot

    def ended(self) -> list[Ended]:
        """The jobs that have ended since the last call."""
        found = [(job, process.poll()) for job, (process, _) in self._running.items()]
        ended = [Ended(job, status) for job, status in found if status is not None]
        for job, *_ in ended:
            end(self._running.pop(job)[0])
        return ended

    def stop(self) -> None:
        """Ends all that is running."""
        for process, _ in self._running.values():
            end(process)
        self._running.clear()


def processors(jobs: int) -> int:
    """The share of this machine's processors that each of several jobs has."""
    # macOS does not say which of its processors a process may use.
    known = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, (known or 1) // jobs)


def server_of(processors: int) -> Server:
    """Starts what forks the processes of jobs that have so many processors each."""
    return Server({"OMP_NUM_THREADS": str(processors), **os.environ})


def start_process(
    job: Job, processors: int, environment: dict[str, str] | None = None, server: Server | None = None
) -> Process:
    """Starts the process of a job with its share of the processors; what it prints goes to `log.txt` in its folder.

    Args:
        job: What to run.
        processors: Its share.
        environment: Variables that only this job has.
        server: Forks the process; without one, or if it has gone, it is a new one.
    """
    command = job.command()
    about = {
        "folder": str(job.folder),
        "parent": os.getpid(),
        "record": {"identity": job.identity, "command": command},
        "start": str(job.after.folder) if job.after is not None and job.arguments[0] == "fit" else None,
    }
    job.folder.mkdir(parents=True, exist_ok=True)
    settings: dict[str, int] = {"trainer.enable_progress_bar": False}
    if not job.sets_workers:
        settings["data.num_workers"] = min(processors, MAX_WORKERS)
    command = [*command, *to_options(settings)]
    labels = job.labels.environment() if job.labels else {}
    variables = {"OMP_NUM_THREADS": str(processors), **labels, **os.environ, **(environment or {})}
    with (job.folder / "log.txt").open("a") as log:
        if server is not None:
            with suppress(ServerGone):
                return Fork(server, {"about": about, "command": command, "environment": variables, "log": log.name})
        return subprocess.Popen(
            [sys.executable, "-m", "lightning_imbal.launch.process", json.dumps(about), *command],
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def end(process: Process) -> None:
    """Ends a process and those that it started, also if it has ended itself; every finished epoch is kept."""
    process.poll()
    # A rank whose first one was killed before they met would wait for it for half an hour.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
