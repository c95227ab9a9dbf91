"""What a cluster is asked for, without one."""

import re
import shutil
from functools import partial
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("ray", reason="Ray is not installed: pip install 'lightning_imbal[cluster]'")

from ray.exceptions import NodeDiedError, OutOfMemoryError, RayTaskError, WorkerCrashedError

from lightning_imbal.errors import UserError
from lightning_imbal.launch import capacity, cluster, connection, worker
from lightning_imbal.launch.process import BUSY, lock_of
from lightning_imbal.launch.runner import Gone

NUMBERS = count()


def node(alive=True, **resources):
    return {
        "Alive": alive,
        "NodeID": str(next(NUMBERS)),
        "NodeManagerAddress": "10.0.0.2",
        "NodeManagerHostname": "node-b",
        "Resources": resources,
    }


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)


def made_up(monkeypatch, *nodes, **more):
    """A cluster of these nodes, whose head is at `here:1`, and what tasks and Ray itself were asked for."""
    asked = {}
    ray = SimpleNamespace(
        init=lambda address, **kwargs: asked.update(address=address),
        get_runtime_context=lambda: SimpleNamespace(gcs_address="here:1", get_node_id=lambda: nodes[0]["NodeID"]),
        nodes=lambda: list(nodes),
        remote=lambda **options: asked.update(options) or (lambda function: function),
        shutdown=lambda: asked.update(ended=True),
    )
    vars(ray).update(more)
    for module in (cluster, connection, worker):
        monkeypatch.setattr(module, "ray", ray)
    for module in (cluster, connection):
        monkeypatch.setattr(module, "answers", lambda address: True)
    return asked


@pytest.mark.parametrize(("has", "gpus", "share"), [({}, None, 0), ({"GPU": 2}, None, 1), ({"GPU": 2}, 0.5, 0.5)])
def test_a_job_has_its_share_and_ray_does_not_try_it_for_ever(has, gpus, share, monkeypatch):
    asked = made_up(monkeypatch, node(CPU=8, **has))
    assert cluster.RayLauncher(2, gpus=gpus).has_room()
    assert asked == {"address": "local", "num_cpus": 4, "num_gpus": share, "max_retries": 0}


@pytest.mark.parametrize(
    ("nodes", "jobs", "gpus", "share"),
    [
        ([node(CPU=16), node(CPU=32)], 2, 0, 8),  # all machines take part
        ([node(CPU=2), node(CPU=32)], 1, 0, 32),  # a small head does not decide
        ([node(CPU=16), node(CPU=32, GPU=1)], 1, 1, 32),  # only where the GPUs are
        ([node(CPU=1)], 3, 0, 1),
    ],
)
def test_processors_are_shares_of_the_machines_that_can_run_it(nodes, jobs, gpus, share):
    assert capacity.share([node["Resources"] for node in nodes], jobs, gpus) == share


@pytest.mark.parametrize(("gpus", "room"), [(0, 40), (0.1, 20), (0.3, 6), (0.6, 2), (1, 2)])
def test_a_job_is_not_split_over_machines(gpus, room, monkeypatch):
    made_up(monkeypatch, node(CPU=8), node(CPU=16, GPU=1), node(CPU=16, GPU=1), node(CPU=8, alive=False, GPU=1))
    launcher = cluster.RayLauncher(16, gpus=gpus)
    launcher._share["CPU"] = 1
    launcher._running = dict.fromkeys(range(room - 1))
    assert launcher.has_room()
    launcher._running[room] = None
    assert not launcher.has_room()


@pytest.mark.parametrize("gpus", [-1, 1.5, float("nan"), float("inf")])
def test_shares_that_ray_refuses_are_refused(gpus):
    with pytest.raises(UserError, match=r"--gpus is .*: give a share of a GPU up to 1, such as 0.5, or a whole number"):
        cluster.RayLauncher(1, gpus=gpus)


def test_the_address_of_the_environment_is_that_of_a_job_of_the_cluster(monkeypatch):
    asked = made_up(monkeypatch, node(CPU=1))
    monkeypatch.setenv("RAY_ADDRESS", "there:6379")
    cluster.RayLauncher(1)
    assert asked["address"] == "there:6379"


def test_a_program_outside_of_the_cluster_is_told_where_to_go(monkeypatch):
    def init(*args, **kwargs):
        raise ConnectionError("Failed to connect to Ray cluster")

    made_up(monkeypatch, init=init)
    for address in ("ray://head:10001", "head:6379"):
        with pytest.raises(UserError, match="head:.* `ray job submit .* lightning_imbal table"):
            cluster.RayLauncher(1, address)


def test_a_cluster_that_wants_a_token_says_so(monkeypatch):
    def init(*args, **kwargs):
        raise ConnectionError("Failed to connect") from RuntimeError("RPC error: InvalidAuthToken: missing")

    made_up(monkeypatch, init=init)
    with pytest.raises(UserError, match="head:6379 wants a token, .*RAY_AUTH_MODE=token here"):
        cluster.RayLauncher(1, "head:6379")


def test_what_ray_says_to_its_start_is_told(monkeypatch):
    def init(*args, **kwargs):
        raise RuntimeError("Version mismatch:\n  Python 3.9")

    made_up(monkeypatch, init=init)
    with pytest.raises(UserError, match="Ray does not start: Version mismatch: Python 3.9"):
        cluster.RayLauncher(1, "head:6379")


@pytest.mark.parametrize("address", ["127.0.0.1:1", "auto", "[::1]:1", "127.0.0.1:many"])
def test_nothing_at_the_address_is_said(address):
    with pytest.raises(UserError, match="There is no Ray cluster at "):
        cluster.RayLauncher(1, address)


def test_a_head_that_does_not_come_back_is_gone_and_ray_is_not_asked_again(monkeypatch):
    asked = made_up(monkeypatch, node(CPU=1))
    launcher = cluster.RayLauncher(1)
    answers = iter([False, False, True])
    monkeypatch.setattr(cluster, "answers", lambda address: next(answers, False))
    now = iter(range(0, 1000, 10))
    monkeypatch.setattr(cluster, "time", SimpleNamespace(monotonic=lambda: next(now), sleep=lambda seconds: None))
    assert launcher.has_room()
    with pytest.raises(Gone, match="the Ray cluster at here:1 does not answer any more"):
        launcher.ended()
    launcher._running = {Job(): cluster._Task(frozenset(), frozenset(), "task")}
    launcher.stop()
    assert asked["ended"]


def test_what_no_machine_has_is_refused():
    """Of the cluster as a whole there would be enough; Ray would wait for ever."""
    machines = [{"CPU": 1}, {"CPU": 1}]
    with pytest.raises(UserError, match=r"A run needs 2 CPU, which no machine .* \(they have 1 CPU and 0 GPU\): ask"):
        capacity.check_fits(machines, {"CPU": 2, "GPU": 0.0})
    with pytest.raises(UserError, match="A run needs 1 CPU and 0.5 GPU, which no machine"):
        capacity.check_fits(machines, {"CPU": 1, "GPU": 0.5})
    capacity.check_fits([*machines, {"CPU": 4, "GPU": 1}], {"CPU": 2, "GPU": 0.5})


def test_a_machine_that_has_gone_is_none_of_the_cluster(monkeypatch):
    made_up(monkeypatch, node(CPU=1), node(alive=False, CPU=8))
    assert [machine["CPU"] for machine in cluster._machines().values()] == [1]


@pytest.fixture
def launcher(monkeypatch, tmp_path):
    """A launcher whose tasks run when they are asked for, here, and the environments of their processes."""
    started, tasks = [], []

    class Process:
        def wait(self):
            (tmp_path / "run" / "metrics.json").touch()
            return 0

    def start_process(job, processors, environment, server):
        started.append(environment)
        return Process()

    def remote(**options):
        return lambda function: SimpleNamespace(
            options=lambda scheduling_strategy: SimpleNamespace(remote=partial(later, function))
        )

    def later(function, *arguments):
        tasks.append((function, arguments))
        return len(tasks) - 1

    made_up(
        monkeypatch,
        node(CPU=8),
        remote=remote,
        wait=lambda waiting, timeout: (waiting, []),
        get=lambda number: tasks[number][0](*tasks[number][1]),
    )
    monkeypatch.setattr(worker, "start_process", start_process)
    monkeypatch.setattr(worker, "end", lambda process: None)
    monkeypatch.setattr(worker, "_server", lambda processors: None)
    monkeypatch.setattr(worker.socket, "gethostname", lambda: "node-b")
    monkeypatch.chdir(tmp_path)
    return cluster.RayLauncher(1), started


class Job:
    folder = Path("run")
    arguments = ("fit",)

    @property
    def finished(self):
        return (self.folder / "metrics.json").exists()


def test_jobs_have_the_drivers_settings_of_weights_and_biases(launcher, monkeypatch):
    launcher, started = launcher
    monkeypatch.setenv("WANDB_MODE", "disabled")
    monkeypatch.setenv("SECRET", "stays")
    job = Job()
    launcher.start(job)
    (job.folder / ".shared-0").touch()  # of a program that was killed
    assert launcher.ended() == [(job, 0, "node-b")]
    assert started == [{"WANDB_MODE": "disabled"}]
    assert sorted(path.name for path in job.folder.iterdir()) == [".lock", "metrics.json"]


@pytest.mark.parametrize(
    ("error", "told", "starts"),
    [
        (OutOfMemoryError("a page"), "lost 4 times: ended by Ray, since memory had nearly run out; .*--jobs", 4),
        (WorkerCrashedError(), "lost 4 times: its worker died, as when the system kills it for want of memory", 4),
        (NodeDiedError("the node\ndied"), "lost 4 times: .*the node died", 4),
        (
            RayTaskError(
                "_run", "ray::run_job() (pid=1, ip=10.0.0.2)\nModuleNotFoundError: No module named 'a'\n", None
            ),
            "not run: .* named 'a'",
            1,
        ),
    ],
)
def test_what_ray_has_lost_is_tried_again_and_then_told(error, told, starts, launcher, monkeypatch):
    launcher, started = launcher

    def lost(job, processors, environment, server):
        started.append(environment)
        raise error

    monkeypatch.setattr(worker, "start_process", lost)
    job = Job()
    launcher.start(job)
    assert all(launcher.ended() == [] for _ in range(starts - 1))
    [(_, status, machine)] = launcher.ended()
    assert re.fullmatch(told, status) and machine == "node-b" and len(started) == starts
    assert [path.name for path in job.folder.iterdir()] == [".lock"]


@pytest.mark.parametrize("address", ["10.0.0.2", "10.0.0.3"])
def test_a_machine_without_the_package_is_left_out_if_ray_knows_its_address(address, launcher, monkeypatch):
    text = f"ray::run_job() (pid=1, ip={address})\nModuleNotFoundError: No module named 'a'\n"

    def get(number):
        raise RayTaskError("run_job", text, None)

    monkeypatch.setattr(cluster.ray, "get", get)
    launcher, _ = launcher
    job = Job()
    job.folder.mkdir()
    (job.folder / launcher._token).write_text("node-a")  # where it was lost
    launcher.start(job)
    if address == "10.0.0.2":
        missing, ended = launcher.ended()
        told = missing.told
        assert told.startswith("no run begins there (ModuleNotFoundError: No module named 'a'); give it the same")
        assert missing.machine == "node-b" and ended == (job, BUSY, "")
        launcher.start(job)
        assert launcher.ended() == [(job, f"not run on node-b: {told}", "")]
    else:
        assert launcher.ended() == [(job, "not run: ModuleNotFoundError: No module named 'a'", address)]


@pytest.mark.parametrize("fault", ["other folder", "no folder"])
def test_a_machine_that_sees_another_folder_is_named(fault, launcher, monkeypatch, tmp_path):
    launcher, started = launcher
    job = Job()
    launcher.start(job)
    if fault == "other folder":
        [token] = (tmp_path / "run").iterdir()
        token.rename(tmp_path / "run" / ".shared-of-another")
    else:
        shutil.move(tmp_path / "run", tmp_path / "elsewhere")
    missing, ended = launcher.ended()
    assert missing.machine == "node-b" and missing.told.startswith(f"{tmp_path}/run is not the same folder")
    assert ended == (job, BUSY, "") and not started


def test_a_job_of_another_program_is_left_to_it_without_a_process(launcher, monkeypatch):
    launcher, started = launcher
    monkeypatch.setattr(worker, "SECONDS_TO_END", 0)
    job = Job()
    launcher.start(job)
    with lock_of(job.folder):
        assert [ended.status for ended in launcher.ended()] == [BUSY]
    assert not started


def test_a_lost_process_is_waited_for(launcher, monkeypatch):
    launcher, started = launcher
    job = Job()
    launcher.start(job)
    lock = lock_of(job.folder)
    lock.acquire()
    monkeypatch.setattr(worker.time, "sleep", lambda seconds: lock.release())
    assert [ended.status for ended in launcher.ended()] == [0] and len(started) == 1


def test_what_another_program_has_finished_is_not_run(launcher):
    launcher, started = launcher
    job = Job()
    launcher.start(job)
    for token in job.folder.iterdir():
        token.unlink()
    (job.folder / "metrics.json").touch()
    assert [ended.status for ended in launcher.ended()] == [0] and not started
