"""Runs jobs over a Ray cluster whose machines share the folders of runs and data."""

import logging
import os
import re
import socket
import time
from collections import Counter
from contextlib import suppress
from uuid import uuid4

import ray
from ray.exceptions import OutOfMemoryError, RayError, RayTaskError, WorkerCrashedError

from lightning_imbal.errors import UserError
from lightning_imbal.launch.job import Job
from lightning_imbal.launch.local import end, start_process
from lightning_imbal.launch.machine import Needs
from lightning_imbal.launch.process import BUSY, is_busy
from lightning_imbal.launch.runner import Ended, Gone

RETRIES = 3  # of a job whose worker was lost
# Of the environment of the program that runs the table, what its jobs have wherever they run.
PASSED_ON = (
    *("WANDB_MODE", "WANDB_PROJECT", "WANDB_ENTITY", "WANDB_API_KEY", "WANDB_BASE_URL"),
    *("WANDB_TAGS", "WANDB_RUN_GROUP"),
)
SHARED = ".shared-"  # in the folder of a run: a machine that sees it sees the same folder, and writes its name into it
SECONDS_TO_ANSWER = 10
SECONDS_TO_COME_BACK = 30  # of the head; after 60 Ray ends the program that runs the table, without a word to it
SECONDS_TO_END = 10  # of the process of a lost worker
OUTSIDE = (
    "run the table on a machine of the cluster, as `ray job submit --address http://HEAD:8265 -- sh -c 'cd FOLDER && "
    "lightning_imbal table SPEC --launcher ray'` does."
)


class RayLauncher:
    """Runs each job as a task of Ray; one that loses its worker is started again and goes on where it was.

    Args:
        jobs: Jobs that share the processors of a machine of the cluster.
        address: Of a running cluster; None is that of the variable RAY_ADDRESS, or starts one on this machine.
        gpus: Share of a GPU for each job, or several whole ones; None is one where the cluster has any.

    Raises:
        UserError: There is no cluster at the address, or no machine of it has what a job needs.
    """

    def __init__(self, jobs: int, address: str | None = None, gpus: float | None = None) -> None:
        _check_gpus(gpus)
        address = address or os.environ.get("RAY_ADDRESS")
        _connect(address)
        self._address = address or ray.get_runtime_context().gcs_address
        if gpus is None:
            gpus = float(any(node.get("GPU", 0) for node in _machines()))
        self._processors = _share(jobs, gpus)
        self._needs = {"CPU": self._processors, "GPU": gpus}
        _check_fits(self._needs)
        self._token = SHARED + uuid4().hex
        # Ray itself would try again for ever where memory runs out, with a page of text each time.
        self._task = ray.remote(num_cpus=self._processors, num_gpus=gpus, max_retries=0)(_run)
        self._running: dict[Job, ray.ObjectRef[int | str]] = {}
        self._lost: Counter[Job] = Counter()
        self._gone = False

    def has_room(self) -> bool:
        """Whether another job can be started now."""
        self._check_head()
        return len(self._running) < sum(_fit(node, self._needs) for node in _machines())

    def start(self, job: Job) -> None:
        """Hands a job to Ray."""
        job.folder.mkdir(parents=True, exist_ok=True)
        token = job.folder / self._token
        token.touch()
        environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        self._running[job] = self._task.remote(job, Needs.of(job, token), self._processors, environment)

    def ended(self) -> list[Ended]:
        """The jobs that have ended since the last call.

        Raises:
            Gone: The head of the cluster does not answer any more.
        """
        self._check_head()
        found = []
        for job, task in list(self._running.items()):
            if not ray.wait([task], timeout=0)[0]:
                continue
            del self._running[job]
            status: int | str
            at = ""
            try:
                status = ray.get(task)
            except RayTaskError as error:
                status, at = f"not run: {str(error).strip().splitlines()[-1]}", _machine_in(str(error))
            except RayError as error:
                self._lost[job] += 1
                if self._lost[job] <= RETRIES:
                    self.start(job)
                    continue
                status = f"lost {self._lost[job]} times: {_reason(error)}"
            found.append(Ended(job, status, self._machine_of(job) or at))
            # Also those that killed programs have left: what has ended needs none.
            for token in job.folder.glob(f"{SHARED if job.finished else self._token}*"):
                token.unlink(missing_ok=True)
        return found

    def stop(self) -> None:
        """Ends all that is running, and the cluster if it was started here."""
        for job, task in self._running.items():
            (job.folder / self._token).unlink(missing_ok=True)
            if not self._gone:
                with suppress(RayError):
                    ray.cancel(task, force=True)
        ray.shutdown()

    def _machine_of(self, job: Job) -> str:
        """The machine that the job was on at last, or nothing if it was on none."""
        try:
            return (job.folder / self._token).read_text()
        except OSError:
            return ""

    def _check_head(self) -> None:
        """Looks whether the head answers: without it Ray waits in any call, and in the end ends this program."""
        until = time.monotonic() + SECONDS_TO_COME_BACK
        while not _answers(self._address):
            if time.monotonic() > until:
                self._gone = True
                raise Gone(f"the Ray cluster at {self._address} does not answer any more")
            time.sleep(1)


def _connect(address: str | None) -> None:
    if address is not None and "://" in address:
        raise UserError(
            f"{address} (of --address or the variable RAY_ADDRESS) is for programs outside of a cluster: {OUTSIDE}"
        )
    if address is not None and not _answers(address):
        raise UserError(
            f"There is no Ray cluster at {address}: start one with `ray start --head`, give the HOST:PORT it prints."
        )
    try:
        ray.init(address or "local", log_to_driver=False, logging_level=logging.ERROR)
    except ConnectionError as error:
        if "InvalidAuthToken" in str(error.__cause__):
            raise UserError(
                f"The Ray cluster at {address} wants a token, as one does that is started where ~/.ray/auth_token is: "
                "set RAY_AUTH_MODE=token here, with the same file on every machine, or RAY_AUTH_MODE=disabled for "
                "`ray start`."
            ) from error
        raise UserError(
            f"{address} answers, but this machine is none of a Ray cluster there: start it here with `ray start "
            f"--address {address}`, or {OUTSIDE}"
        ) from error
    except RuntimeError as error:  # such as another version of Python
        raise UserError(f"Ray does not start: {_in_a_line(error)}") from error


def _answers(address: str) -> bool:
    """Whether anything answers at HOST:PORT, which takes Ray itself minutes."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=SECONDS_TO_ANSWER).close()
    except (OSError, ValueError):
        return False
    return True


def _check_gpus(gpus: float | None) -> None:
    if gpus is not None and not (0 <= gpus <= 1 or (gpus > 1 and gpus % 1 == 0)):
        raise UserError(f"--gpus is {gpus:g}: give a share of a GPU up to 1, such as 0.5, or a whole number of GPUs.")


def _machines() -> list[dict[str, float]]:
    """What the machines of the cluster have in all."""
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def _share(jobs: int, gpus: float) -> int:
    """Processors for each of the jobs of a machine: those of the smallest, but for far smaller ones, as heads are."""
    sizes = [node.get("CPU", 0) for node in _machines() if node.get("GPU", 0) >= gpus]
    return max(1, int(min((size for size in sizes if 2 * size >= max(sizes)), default=1)) // jobs)


def _fit(machine: dict[str, float], needs: dict[str, float]) -> int:
    """How many jobs fit on a machine at once."""
    return min(int(machine.get(name, 0) / need + 1e-9) for name, need in needs.items() if need)


def _check_fits(needs: dict[str, float]) -> None:
    """Refuses what no machine of the cluster has: Ray would wait for one for ever."""
    machines = _machines()
    if any(_fit(machine, needs) for machine in machines):
        return
    asked = " and ".join(f"{need:g} {name}" for name, need in needs.items() if need)
    has = ", ".join(dict.fromkeys(f"{node.get('CPU', 0):g} CPU and {node.get('GPU', 0):g} GPU" for node in machines))
    raise UserError(
        f"A run needs {asked}, which no machine of the Ray cluster has (they have {has}): ask for less with --gpus, or "
        "give the machines more with `ray start --num-cpus N --num-gpus N`."
    )


def _reason(error: RayError) -> str:
    """How Ray lost a job."""
    if isinstance(error, OutOfMemoryError):
        return "ended by Ray, since memory had nearly run out; run fewer at once with a lower --jobs"
    if isinstance(error, WorkerCrashedError):
        return "its worker died, as when the system kills it for want of memory"
    return _in_a_line(error)


def _machine_in(traceback: str) -> str:
    """The address of the machine of a traceback of Ray, which names it where the error has lost it."""
    found = re.search(r"\bip=([^,)\s]+)", traceback)
    return found[1] if found else ""


def _in_a_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _run(job: Job, needs: Needs, processors: int, environment: dict[str, str]) -> int | str:
    """Runs a job in a worker; first waits for the process of a lost worker, which is about to end.

    Returns:
        The exit status, BUSY if another program runs the job, or why it was not started.
    """
    with suppress(OSError):  # without the folder it lacks more, which is said
        os.chdir(needs.directory)
        if job.finished:
            return 0
    if lacking := needs.lacking():
        return f"not run on the machine {socket.gethostname()}: {lacking}"
    needs.token.write_text(socket.gethostname())
    until = time.monotonic() + SECONDS_TO_END
    while is_busy(job.folder):
        if time.monotonic() > until:
            return BUSY
        time.sleep(1)
    if job.finished:
        return 0
    process = start_process(job, processors, environment)
    try:
        return process.wait()
    finally:
        end(process)
