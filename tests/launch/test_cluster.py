"""What a cluster is asked for, without one."""

import shutil
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("ray", reason="Ray is not installed: pip install 'lightning_imbal[cluster]'")

from lightning_imbal.errors import UserError
from lightning_imbal.launch import cluster


def node(alive=True, **resources):
    return {"Alive": alive, "Resources": resources}


@pytest.mark.parametrize(("has", "gpus", "share"), [({}, None, 0), ({"GPU": 2}, None, 1), ({"GPU": 2}, 0.5, 0.5)])
def test_a_job_has_its_share_and_is_tried_again(has, gpus, share, monkeypatch):
    asked = {}
    ray = SimpleNamespace(
        init=lambda *args, **kwargs: None,
        cluster_resources=lambda: {"CPU": 8} | has,
        nodes=lambda: [node(CPU=8, **has)],
        remote=lambda **options: asked.update(options) or (lambda function: function),
    )
    monkeypatch.setattr(cluster, "ray", ray)
    monkeypatch.setattr(cluster, "processors", lambda jobs: 8 // jobs)
    assert cluster.RayLauncher(2, gpus=gpus).has_room()
    assert asked == {"num_cpus": 4, "num_gpus": share, "max_retries": 3}


def test_what_no_machine_has_is_refused(monkeypatch):
    """Of the cluster as a whole there would be enough; Ray would wait for ever."""
    nodes = [node(CPU=1), node(CPU=1), node(alive=False, CPU=8)]
    monkeypatch.setattr(cluster, "ray", SimpleNamespace(nodes=lambda: nodes))
    with pytest.raises(
        UserError, match=r"A run needs 2 CPU, which no machine .* \(they have 1 CPU and 0 GPU\): .*--jobs"
    ):
        cluster._check_fits({"CPU": 2, "GPU": 0.0})
    with pytest.raises(UserError, match="A run needs 1 CPU and 0.5 GPU, which no machine"):
        cluster._check_fits({"CPU": 1, "GPU": 0.5})
    nodes.append(node(CPU=4, GPU=1))
    cluster._check_fits({"CPU": 2, "GPU": 0.5})


@pytest.fixture
def launcher(monkeypatch, tmp_path):
    """A launcher whose tasks run when they are asked for, here, and the environments of their processes."""
    started, tasks = [], []

    class Process:
        def wait(self):
            (tmp_path / "run" / "metrics.json").touch()
            return 0

    def start_process(job, processors, environment):
        started.append(environment)
        return Process()

    def later(function, *arguments):
        tasks.append((function, arguments))
        return len(tasks) - 1

    ray = SimpleNamespace(
        init=lambda *args, **kwargs: None,
        cluster_resources=lambda: {"CPU": 8},
        nodes=lambda: [node(CPU=8)],
        remote=lambda **options: lambda function: SimpleNamespace(remote=partial(later, function)),
        wait=lambda waiting, timeout: (waiting, []),
        get=lambda number: tasks[number][0](*tasks[number][1]),
    )
    monkeypatch.setattr(cluster, "ray", ray)
    monkeypatch.setattr(cluster, "start_process", start_process)
    monkeypatch.setattr(cluster, "end", lambda process: None)
    monkeypatch.chdir(tmp_path)
    return cluster.RayLauncher(1), started


class Job:
    folder = Path("run")

    @property
    def finished(self):
        return (self.folder / "metrics.json").exists()


def test_jobs_have_the_drivers_settings_of_weights_and_biases(launcher, monkeypatch):
    launcher, started = launcher
    monkeypatch.setenv("WANDB_MODE", "disabled")
    monkeypatch.setenv("SECRET", "stays")
    job = Job()
    launcher.start(job)
    assert launcher.ended() == [(job, 0)]
    assert started == [{"WANDB_MODE": "disabled"}]
    assert [path.name for path in job.folder.iterdir()] == ["metrics.json"]


@pytest.mark.parametrize("fault", ["other folder", "no folder"])
def test_a_machine_that_sees_another_folder_is_named(fault, launcher, monkeypatch, tmp_path):
    launcher, started = launcher
    job = Job()
    launcher.start(job)
    if fault == "other folder":
        (tmp_path / "run" / ".shared").write_text("of another cluster")
    else:
        shutil.move(tmp_path / "run", tmp_path / "elsewhere")
    [(_, told)] = launcher.ended()
    assert told.startswith(f"not run: {tmp_path}/run is not the same folder on the machine ") and not started
