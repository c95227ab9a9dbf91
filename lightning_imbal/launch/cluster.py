"""Runs jobs over a Ray cluster whose machines share the folders of runs and data."""

import logging
import os
import socket
import time
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import ray
from ray.exceptions import RayError

from lightning_imbal.errors import UserError
from lightning_imbal.launch.job import Job
from lightning_imbal.launch.local import end, processors, start_process
from lightning_imbal.launch.process import BUSY

RETRIES = 3  # of a job whose worker was lost
# Of the environment of the program that runs the table, what its jobs have wherever they run.
PASSED_ON = ("WANDB_MODE", "WANDB_PROJECT", "WANDB_ENTITY", "WANDB_API_KEY", "WANDB_BASE_URL")
SHARED = ".shared"  # in the folder of a run: by its text a node shows that it sees the same folder
SECONDS_TO_ANSWER = 10


class RayLauncher:
    """Runs each job as a task of Ray; one that loses its worker is started again and goes on where it was.

    Args:
        jobs: Jobs that share the processors of a machine like this one.
        address: Of a running cluster; None starts one on this machine.
        gpus: Share of a GPU for each job; None is a whole one where the cluster has any.

    Raises:
        UserError: There is no cluster at the address, or no machine of it has what a job needs.
    """

    def __init__(self, jobs: int, address: str | None = None, gpus: float | None = None) -> None:
        if address is not None:
            _check_address(address)
        ray.init(address or "local", log_to_driver=False, logging_level=logging.ERROR)
        if gpus is None:
            gpus = float(ray.cluster_resources().get("GPU", 0) > 0)
        self._processors = processors(jobs)
        self._needs = {"CPU": self._processors, "GPU": gpus}
        _check_fits(self._needs)
        self._token = uuid4().hex
        self._task = ray.remote(num_cpus=self._processors, num_gpus=gpus, max_retries=RETRIES)(_run)
        self._running: dict[Job, ray.ObjectRef[int | str]] = {}

    def has_room(self) -> bool:
        """Whether another job can be started now."""
        has = ray.cluster_resources()
        return all((len(self._running) + 1) * need <= has.get(name, 0) for name, need in self._needs.items())

    def start(self, job: Job) -> None:
        """Hands a job to Ray."""
        job.folder.mkdir(parents=True, exist_ok=True)
        (job.folder / SHARED).write_text(self._token)
        environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        self._running[job] = self._task.remote(job, str(Path.cwd()), self._processors, environment, self._token)

    def ended(self) -> list[tuple[Job, int | str]]:
        """The jobs that have ended since the last call, with their exit status or how they were lost."""
        found: list[tuple[Job, int | str]] = []
        for job, task in list(self._running.items()):
            if not ray.wait([task], timeout=0)[0]:
                continue
            del self._running[job]
            try:
                found.append((job, ray.get(task)))
            except RayError as error:
                found.append((job, f"lost by Ray: {' '.join(str(error).split())}"))
            (job.folder / SHARED).unlink(missing_ok=True)
        return found

    def stop(self) -> None:
        """Ends all that is running, and the cluster if it was started here."""
        for job, task in self._running.items():
            (job.folder / SHARED).unlink(missing_ok=True)
            with suppress(RayError):
                ray.cancel(task, force=True)
        ray.shutdown()


def _check_address(address: str) -> None:
    """Looks whether anything answers at HOST:PORT, which takes Ray itself minutes."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=SECONDS_TO_ANSWER).close()
    except (OSError, ValueError) as error:
        raise UserError(
            f"There is no Ray cluster at {address}: start one with `ray start --head`, give the HOST:PORT it prints."
        ) from error


def _check_fits(needs: dict[str, float]) -> None:
    """Refuses what no machine of the cluster has: Ray would wait for one for ever."""
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    if any(all(need <= node.get(name, 0) for name, need in needs.items()) for node in nodes):
        return
    asked = " and ".join(f"{need:g} {name}" for name, need in needs.items() if need)
    has = ", ".join(dict.fromkeys(f"{node.get('CPU', 0):g} CPU and {node.get('GPU', 0):g} GPU" for node in nodes))
    raise UserError(
        f"A run needs {asked}, which no machine of the Ray cluster has (they have {has}): share the processors between "
        "more runs with --jobs, or ask for less with --gpus."
    )


def _run(job: Job, directory: str, processors: int, environment: dict[str, str], token: str) -> int | str:
    """Runs a job in a worker; first waits for the process of a lost worker, which is about to end.

    Returns:
        The exit status, or why it was not started.
    """
    try:
        os.chdir(directory)
        same = (job.folder / SHARED).read_text() == token
    except OSError:
        same = False
    if not same:
        return (
            f"not run: {Path(directory, job.folder)} is not the same folder on the machine {socket.gethostname()}; "
            "share it between all machines, at the same path"
        )
    while not job.finished:
        process = start_process(job, processors, environment)
        try:
            status = process.wait()
        finally:
            end(process)
        if status != BUSY:
            return status
        time.sleep(1)
    return 0
