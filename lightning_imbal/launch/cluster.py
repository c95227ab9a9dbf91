"""Runs jobs over a Ray cluster whose machines share the folders of runs and data."""

import os
import re
import time
from collections import Counter
from contextlib import suppress
from typing import NamedTuple
from uuid import uuid4

import ray
from ray.exceptions import OutOfMemoryError, RayError, RayTaskError, WorkerCrashedError
from ray.util.scheduling_strategies import NodeLabelSchedulingStrategy, NotIn

from lightning_imbal.launch.capacity import check_fits, check_gpus, fit, share
from lightning_imbal.launch.connection import answers, connect, in_a_line
from lightning_imbal.launch.job import Job
from lightning_imbal.launch.left_out import LeftOut, named
from lightning_imbal.launch.machine import MEMORY, SHARED, START, Lack, Lacking, Needs
from lightning_imbal.launch.process import BUSY
from lightning_imbal.launch.runner import Ended, Gone, Missing
from lightning_imbal.launch.worker import run_job

RETRIES = 3  # of a job whose worker was lost
# Of the environment of the program that runs the table, what its jobs have wherever they run.
PASSED_ON = (
    *("WANDB_MODE", "WANDB_PROJECT", "WANDB_ENTITY", "WANDB_API_KEY", "WANDB_BASE_URL"),
    *("WANDB_TAGS", "WANDB_RUN_GROUP", "LIGHTNING_IMBAL_WANDB"),
)
SECONDS_TO_COME_BACK = 30  # of the head; after 60 Ray ends the program that runs the table, without a word to it
NODE = ("ray.io/node_id", "ray.io/node-id")  # labels of a machine in older and newer Ray


class _Task(NamedTuple):
    """A job, what it needs, the machines that it is kept off, and what it is to Ray, if any machine can run it."""

    things: frozenset[str]
    but: frozenset[str]
    reference: "ray.ObjectRef[int | Lacking] | None" = None


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
        check_gpus(gpus)
        address = address or os.environ.get("RAY_ADDRESS")
        connect(address)
        self._address = address or ray.get_runtime_context().gcs_address
        if gpus is None:
            gpus = float(any(machine.get("GPU", 0) for machine in _machines().values()))
        self._processors = share(_machines().values(), jobs, gpus)
        self._share = {"CPU": self._processors, "GPU": gpus}
        check_fits(_machines().values(), self._share)
        self._token = SHARED + uuid4().hex
        # Ray itself would try again for ever where memory runs out, with a page of text each time.
        self._task = ray.remote(num_cpus=self._processors, num_gpus=gpus, max_retries=0)(run_job)
        self._running: dict[Job, _Task] = {}
        self._left_out = LeftOut()
        self._things: set[frozenset[str]] = set()
        self._lost: Counter[Job] = Counter()
        self._gone = False

    def has_room(self) -> bool:
        """Whether another job can be started now."""
        self._check_head()
        room = {node: fit(machine, self._share) for node, machine in _machines().items()}
        lacking = [set(self._left_out.lacking(things)) for things in self._things]
        out = set.intersection(*lacking) if lacking else set()
        able = sum(number for node, number in room.items() if node not in out)
        return len(self._running) < (able or sum(room.values()))  # if all are left out, the next jobs are told so

    def start(self, job: Job) -> None:
        """Hands a job to Ray, for any machine but those that lack something; waits if every one does."""
        job.folder.mkdir(parents=True, exist_ok=True)
        token = job.folder / self._token
        token.write_text("")
        needs = Needs.of(job, token)
        self._things.add(needs.things)
        but = frozenset(self._left_out.lacking(needs.things))
        self._running[job] = waiting = _Task(needs.things, but)
        if self._able() - but:
            environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
            task = self._task.options(scheduling_strategy=_anywhere_but(but))
            self._running[job] = waiting._replace(reference=task.remote(job, needs, self._processors, environment))

    def ended(self) -> list[Ended | Missing]:
        """The jobs that have ended since the last call, and the machines that are left out since then.

        Raises:
            Gone: The head of the cluster does not answer any more.
        """
        self._check_head()
        able = self._able()
        found: list[Ended | Missing] = []
        for job, task in list(self._running.items()):
            if task.reference is not None and ray.wait([task.reference], timeout=0)[0]:
                found += self._end(job, task.reference)
            elif able and able <= task.but:  # also if the others have gone since: Ray would wait for them for ever
                found += self._refuse(job, task, able)
            elif task.reference is None:
                self.start(job)
        for event in found:
            if isinstance(event, Ended):
                # Also those that killed programs have left: what has ended needs none.
                for token in event.job.folder.glob(f"{SHARED if event.job.finished else self._token}*"):
                    token.unlink(missing_ok=True)
        return found

    def stop(self) -> None:
        """Ends all that is running, and the cluster if it was started here."""
        for job, task in self._running.items():
            (job.folder / self._token).unlink(missing_ok=True)
            if task.reference is not None and not self._gone:
                with suppress(RayError):
                    ray.cancel(task.reference, force=True)
        ray.shutdown()

    def _end(self, job: Job, reference: "ray.ObjectRef[int | Lacking]") -> list[Ended | Missing]:
        """What came of a job that Ray has ended; nothing if it was lost and is started again."""
        del self._running[job]
        status: int | str | Lacking
        at = ""
        try:
            status = ray.get(reference)
        except RayTaskError as error:
            what, at = str(error).strip().splitlines()[-1], _machine_in(str(error))
            # What fails before the machine has written its name is no fault of the job, such as a missing package.
            if not self._machine_of(job) and (machines := _unable(at, what)):
                return self._leave_out(job, machines)
            status = f"not run: {what}"
        except RayError as error:
            self._lost[job] += 1
            if self._lost[job] <= RETRIES:
                self.start(job)
                return []
            status = f"lost {self._lost[job]} times: {_reason(error)}"
        if isinstance(status, Lacking):
            return self._leave_out(job, [status])
        if not self._runs_any():
            self._left_out.forget_memory()
        return [Ended(job, status, self._machine_of(job) or at)]

    def _leave_out(self, job: Job, machines: list[Lacking]) -> list[Ended | Missing]:
        """Names machines that are new, and gives back the job that one of them was to run."""
        new = [found for found in machines if self._left_out.add(found)]
        return [*(Missing(found.machine, found.lack.told) for found in new), Ended(job, BUSY)]

    def _refuse(self, job: Job, task: "_Task", able: set[str]) -> list[Ended | Missing]:
        """Ends a job that no machine can run, unless memory may come back as others end."""
        if task.reference is not None:
            ray.cancel(task.reference, force=True)
            self._running[job] = task._replace(reference=None)
        lacking = self._left_out.lacking(task.things)
        if able - lacking.keys():
            self.start(job)
            return []
        if self._runs_any() and any(lacking[node].lack.thing == MEMORY for node in able):
            return []
        del self._running[job]
        return [Ended(job, f"not run {named([lacking[node] for node in sorted(able)])}")]

    def _runs_any(self) -> bool:
        """Whether any job is with Ray."""
        return any(task.reference is not None for task in self._running.values())

    def _able(self) -> set[str]:
        """The machines that are large enough for a job."""
        return {node for node, machine in _machines().items() if fit(machine, self._share)}

    def _machine_of(self, job: Job) -> str:
        """The machine that the job was on at last, or nothing if it was on none."""
        try:
            return (job.folder / self._token).read_text()
        except OSError:
            return ""

    def _check_head(self) -> None:
        """Looks whether the head answers: without it Ray waits in any call, and in the end ends this program."""
        until = time.monotonic() + SECONDS_TO_COME_BACK
        while not answers(self._address):
            if time.monotonic() > until:
                self._gone = True
                raise Gone(f"the Ray cluster at {self._address} does not answer any more")
            time.sleep(1)


def _machines() -> dict[str, dict[str, float]]:
    """What the machines of the cluster have in all."""
    return {node["NodeID"]: node["Resources"] for node in ray.nodes() if node["Alive"]}


def _anywhere_but(nodes: frozenset[str]) -> str | NodeLabelSchedulingStrategy:
    """Leaves the choice of a machine to Ray, which knows what other programs run on them, but for some."""
    if not nodes:
        return "DEFAULT"
    return NodeLabelSchedulingStrategy(hard={label: NotIn(*nodes) for label in NODE})


def _unable(address: str, error: str) -> list[Lacking]:
    """The machines at an address, on which no job begins."""
    lack = Lack(START, f"no run begins there ({error}); give it the same installation and rights as this machine")
    return [
        Lacking(node["NodeID"], node["NodeManagerHostname"], lack)
        for node in ray.nodes()
        if node["Alive"] and node["NodeManagerAddress"] == address
    ]


def _reason(error: RayError) -> str:
    """How Ray lost a job."""
    if isinstance(error, OutOfMemoryError):
        return "ended by Ray, since memory had nearly run out; run fewer at once with a lower --jobs"
    if isinstance(error, WorkerCrashedError):
        return "its worker died, as when the system kills it for want of memory"
    return in_a_line(error)


def _machine_in(traceback: str) -> str:
    """The address of the machine of a traceback of Ray, which names it where the error has lost it."""
    found = re.search(r"\bip=([^,)\s]+)", traceback)
    return found[1] if found else ""
