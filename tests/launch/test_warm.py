"""Jobs that are forked from a process that has imported what they need: as new ones, and none takes others along."""

import io
import json
import os
import signal
from pathlib import Path
from types import SimpleNamespace

import pytest
from forked import wait_for

from lightning_imbal.launch import local, server, warm
from lightning_imbal.launch.job import Job
from lightning_imbal.launch.process import BUSY
from lightning_imbal.tables.tags import Labels

# Python reads it when it starts: in the place of `completion`, what a job finds in its process.
LOOKS = """
import json, os, sys, time
from pathlib import Path
from types import ModuleType

def run(args):
    import cv2, sklearn, torch
    from threadpoolctl import threadpool_info
    folder = Path(args[args.index("--run_dir") + 1])
    blas = {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}
    about = {
        "environment": dict(os.environ), "arguments": sys.argv[1:], "folder": os.getcwd(), "read": sys.stdin.read(),
        "files": sorted(os.listdir("/proc/self/fd")), "threads": [torch.get_num_threads(), cv2.getNumThreads(), *blas],
        "group": os.getpgrp() == os.getpid(), "main": sys.modules["__main__"].__spec__.name,
    }
    print("to the log")
    (folder / "found.json").write_text(json.dumps(about))
    if "abort" in folder.name:
        os.abort()
    while "stays" in folder.name:
        time.sleep(0.1)
    sys.exit(7)

sys.modules["lightning_imbal.cli.completion"] = module = ModuleType("completion")
module.run = run
"""


BROUGHT = "KMP_INIT_AT_FORK"  # scikit-learn sets it when it is imported


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    """The server of the program, with all its imports."""
    folder = tmp_path_factory.mktemp("python")
    (folder / "sitecustomize.py").write_text(LOOKS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
        patch.setenv("OMP_NUM_THREADS", "2")
        patch.delenv(BROUGHT, raising=False)
        found = local.server_of(2)
        yield found
        found.close()


@pytest.fixture
def start(started, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")

    def start(name, warm=True, **environment):
        job = Job(name, tmp_path / name, ("completion",), labels=Labels("table", "CE", "Skin7"))
        return job, local.start_process(job, 1, environment, started if warm else None)

    return start


def found_in(job):
    return json.loads((job.folder / "found.json").read_text())


def test_a_fork_finds_what_a_new_process_does(start):
    """Its variables, threads, group, command line and log; it holds nothing of the server."""
    job, fork = start("a", CUDA_VISIBLE_DEVICES="3")
    assert fork.wait() == 7
    found = found_in(job)
    variables = found.pop("environment")
    given = os.environ | {"CUDA_VISIBLE_DEVICES": "3", "WANDB_RUN_GROUP": "table: CE"}
    lacking = {name for name, value in given.items() if variables.get(name) != value}
    assert lacking <= {"LD_LIBRARY_PATH"}, "which OpenCV sets when it is imported"
    assert BROUGHT in variables and not server.ALONE.keys() & variables.keys()
    given = [*job.command(), "--trainer.enable_progress_bar", "false", "--data.num_workers", "1"]
    assert found["arguments"] == given and given[0] == "completion"
    assert (found["folder"], found["read"], found["group"]) == (os.getcwd(), "", True)
    assert found["main"] == "lightning_imbal.__main__" and found["threads"] == [2, 2, 2]
    assert found["files"] == [*"01234"], "its own three, its lock, and the folder of them that is read"
    assert "to the log" in (job.folder / "log.txt").read_text()


@pytest.mark.slow  # the same is looked at above
def test_a_fork_is_as_a_new_process(start):
    """Its variables, threads, files, group, command line and log; it holds nothing of the server."""
    (cold, new), (warmed, fork) = start("b", warm=False, CUDA_VISIBLE_DEVICES="3"), start("a", CUDA_VISIBLE_DEVICES="3")
    assert fork.wait() == new.wait() == 7
    found, wanted = found_in(warmed), found_in(cold)
    wanted["arguments"] = [word.replace(str(cold.folder), str(warmed.folder)) for word in wanted["arguments"]]
    variables = found.pop("environment")  # also those that the imports of a `fit` set
    assert wanted.pop("environment").items() <= variables.items() and variables["WANDB_RUN_GROUP"] == "table: CE"
    assert not server.ALONE.keys() & variables.keys() and found == wanted
    assert found["group"] and found["main"] == "lightning_imbal.__main__" and found["threads"][0] == 2
    assert "to the log" in (warmed.folder / "log.txt").read_text()


def test_the_server_has_no_threads_and_no_files_but_its_pipes(start, started):
    start("a")[1].wait()
    process = Path("/proc", str(started._process.pid))
    assert len(os.listdir(process / "task")) == 1
    open_files = {os.readlink(file).partition(":")[0] for file in (process / "fd").iterdir()}
    assert open_files == {"pipe", os.devnull}
    assert "libcuda.so" not in (process / "maps").read_text(), "a device was looked for"


def test_what_aborts_ends_only_itself(start):
    (_, staying), (_, aborting) = start("stays"), start("abort")
    assert aborting.wait() == -signal.SIGABRT and staying.poll() is None
    assert start("after")[1].wait() == 7
    local.end(staying)
    assert staying.wait() == -signal.SIGKILL


def test_jobs_of_a_server_that_has_gone_go_on_in_processes_of_their_own(start, started, capfd):
    job, fork = start("stays")
    wait_for(lambda: (job.folder / "found.json").is_file())
    os.kill(started._process.pid, signal.SIGKILL)
    wait_for(lambda: fork.poll() is not None)
    assert fork.wait() == BUSY, "it is started again"
    wait_for(lambda: not Path("/proc", str(fork.pid)).exists())
    (job.folder / "found.json").unlink()
    again = start("again")[1]
    assert not isinstance(again, warm.Fork)
    local.end(again)
    assert capfd.readouterr().err.count(warm.GONE.format("")) == 1


@pytest.fixture
def broken(tmp_path, monkeypatch):
    """A server that lacks what it should import."""
    (tmp_path / "sitecustomize.py").write_text(f"import sys; sys.modules['{server.AHEAD}'] = None")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    found = local.server_of(1)
    yield found
    found.close()


@pytest.mark.parametrize("asked_before", [True, False])
def test_why_a_server_cannot_start_is_told_once(asked_before, broken, capfd):
    if not asked_before:
        broken._process.wait()
    for _ in range(2):
        with pytest.raises(warm.ServerGone):
            broken.ask(1)
    [said] = capfd.readouterr().err.splitlines()
    assert said.startswith("lightning_imbal: What starts the runs has ended (ModuleNotFoundError: ")
    assert server.AHEAD in said


def test_who_is_interrupted_in_asking_ends_it_without_a_word(broken, monkeypatch, capfd):
    """What is read next would be the reply that was waited for."""

    def interrupt():
        raise KeyboardInterrupt

    monkeypatch.setattr(broken._process, "stdin", io.StringIO())
    monkeypatch.setattr(broken._process, "stdout", SimpleNamespace(readline=interrupt))
    with pytest.raises(KeyboardInterrupt):
        broken.ask(1)
    assert broken._process.returncode is not None
    with pytest.raises(warm.ServerGone):
        broken.ask(1)
    assert not capfd.readouterr().err


def test_the_server_ends_with_the_one_that_asks(monkeypatch):
    """Also where a fork of that keeps the pipe open."""
    requests, asked = os.pipe()
    monkeypatch.setattr(server, "SECONDS_BETWEEN_LOOKS", 0.01)
    with os.fdopen(requests) as listening, os.fdopen(asked, "w"):
        parents = iter([1, 1, 2])
        monkeypatch.setattr(server.os, "getppid", lambda: next(parents))
        assert server.serve(listening, None) is None
