"""A table over machines of a Ray cluster that is shared, of which one lacks something, and whose head is killed."""

import json
import os
import shutil
import signal
import tempfile
from contextlib import redirect_stdout
from pathlib import Path

import pytest
import yaml
from forked import Forked, check_status, wait_for
from made_runs import write_run

from lightning_imbal.cli import main
from lightning_imbal.launch.process import is_busy

pytest.importorskip("ray", reason="Ray is not installed: pip install 'lightning_imbal[cluster]'")

pytestmark = pytest.mark.slow  # each process of Ray takes seconds to start; tests/launch has what needs no cluster

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
# Processes of jobs find results as soon as there is a file `go-METHOD`; the package is an older one where that is set.
MADE_UP = """
import importlib.metadata, json, os, shutil, sys, time
from pathlib import Path
from types import ModuleType

def run(args):
    folder = Path(args[args.index("--run_dir") + 1])
    (folder / "environment.json").write_text(json.dumps(dict(os.environ)))
    while not Path("go-" + folder.name.split("+")[1]).exists():
        time.sleep(0.02)
    shutil.copy(Path("made", folder.name, "metrics.json"), folder)

if os.environ.get("OLDER"):
    importlib.metadata.version = lambda name: "0.0.1"
sys.modules["lightning_imbal.cli.fit"] = module = ModuleType("fit")
module.run = run
sys.modules["lightning_imbal.cli.parts.ahead"] = module = ModuleType("ahead")
module.read_ahead = lambda: None
"""


def end(cluster):
    """Ends the processes of both machines, also those that the machines have started, and wait for a head for ever."""
    for node in cluster.list_all_nodes():
        for process in node.all_processes.get("raylet", []):
            number = process.process.pid
            for child in Path(f"/proc/{number}/task/{number}/children").read_text().split():
                os.kill(int(child), signal.SIGKILL)
        node.kill_all_processes(check_alive=False, allow_graceful=False)


@pytest.fixture(scope="module")
def made_up():
    """Folder for Python's path; no process but those of Ray has it, for others are forked for the tests after these."""
    folder = Path(tempfile.mkdtemp(prefix="ray-"))  # short: paths of sockets have a limit
    (folder / "sitecustomize.py").write_text(MADE_UP)
    yield os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def cluster(made_up):
    """Two machines with two processors, one of them with a GPU that is not there."""
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", made_up)
        patch.setenv("RAY_TMPDIR", made_up.partition(os.pathsep)[0])
        started = Cluster(initialize_head=True, head_node_args={"num_cpus": 2})
        started.add_node(num_cpus=2, num_gpus=1)
    yield started
    end(started)


@pytest.fixture
def table(tmp_path, monkeypatch):
    """A table of two rows, in the folder of now."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    column = {"dataset": "Digits", "backbone": "resnet", "configs": [str(EXPERIMENTS / "demo.yaml")]}
    rows = {name: {"configs": [str(EXPERIMENTS / "methods" / f"{name}.yaml")]} for name in ("ce", "rs")}
    content = {"title": "Digits", "columns": [column], "rows": rows, "metrics": {"f1": {"score": "f1"}}}
    Path("small.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    for noise, name in enumerate(rows):
        write_run(tmp_path / "made" / f"demo+{name}+seed0", noise=noise, predictions=False)
    return ["table", "small.yaml", "--runs", "runs", "--launcher", "ray"]


def command(said, *args):
    """Runs a command line; what it prints to stdout is in a file."""
    from lightning_imbal.launch import cluster

    cluster.SECONDS_TO_COME_BACK = 1
    with Path(said).open("w") as file, redirect_stdout(file):
        return main(list(args))


def told(said):
    """What a command has printed up to now."""
    return Path(said).read_text() if Path(said).exists() else ""


def begun(name):
    """How often the run of a row was begun."""
    return told(f"runs/demo+{name}+seed0/log.txt").count("$ lightning_imbal")


def test_two_programs_share_a_table_and_two_runs_a_gpu(table, cluster):
    both = [
        Forked(command, said, *table, "--address", cluster.address, "--gpus", "0.5", "--jobs", "2")
        for said in ("first.txt", "second.txt")
    ]
    with both[0], both[1]:
        wait_for(lambda: begun("ce") and begun("rs"))
        for name in ("ce", "rs"):
            Path(f"go-{name}").touch()
        check_status(0, *both)
    assert begun("ce") == begun("rs") == 1
    for name in ("ce", "rs"):
        environment = json.loads(Path(f"runs/demo+{name}+seed0/environment.json").read_text())
        assert environment["CUDA_VISIBLE_DEVICES"] == "0" and environment["OMP_NUM_THREADS"] == "1"
        assert any(
            f"finished {name}, seed 0 on {os.uname().nodename} after" in told(said)
            for said in ("first.txt", "second.txt")
        )
        assert not list(Path(f"runs/demo+{name}+seed0").glob(".shared*"))


def test_a_machine_with_another_version_is_named_and_its_run_is_run_elsewhere(table, cluster, made_up):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", made_up)
        patch.setenv("OLDER", "1")
        older = cluster.add_node(num_cpus=2, num_gpus=1)
    try:
        with Forked(command, "said.txt", *table, "--address", cluster.address) as running:
            wait_for(lambda: "is left out" in told("said.txt") and (begun("ce") or begun("rs")))
            for name in ("ce", "rs"):
                Path(f"go-{name}").touch()
            check_status(0, running)
    finally:
        cluster.remove_node(older)
    assert told("said.txt").count(" is left out: it has lightning_imbal 0.0.1 instead of") == 1
    assert begun("ce") == begun("rs") == 1 and "2 of 2" in told("said.txt")


def test_a_table_outlives_the_head_of_its_cluster(table, cluster, made_up):
    """The last test: it kills the head."""
    Path("go-ce").touch()
    address = cluster.address
    with Forked(command, "said.txt", *table, "--address", address) as running:
        wait_for(lambda: "finished ce, seed 0" in told("said.txt") and begun("rs"))
        cluster.head_node.kill_gcs_server(check_alive=False)
        check_status(1, running)
        assert running.log.read_text() == "", "Ray says nothing"
    said = told("said.txt")
    assert said.count("the same command goes on") == 1 and f"the Ray cluster at {address} does not" in said
    assert "1 run failed" in said and "│ ce " in said
    assert Path("runs/small.csv").exists()
    end(cluster)
    wait_for(lambda: not is_busy(Path("runs/demo+rs+seed0")))
    Path("go-rs").touch()
    with Forked(command, "again.txt", *table, PYTHONPATH=made_up) as again:
        check_status(0, again)
    assert begun("ce") == 1 and begun("rs") == 2
    assert "finished rs, seed 0" in told("again.txt")
