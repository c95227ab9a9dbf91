"""What the process of a job records, takes from another run and returns, without the command that it runs."""

import json
import os
import sys
import threading
from types import SimpleNamespace

import pytest
from forked import wait_for

from lightning_imbal.launch import process

IDENTITY = {"configs": ["ce.yaml"], "options": {}}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs the job of a folder whose command does nothing, or what is given."""
    monkeypatch.setattr(sys, "argv", ["process"])
    monkeypatch.setattr(process, "_end_with", lambda parent: None)

    def running(command=lambda: None, start=None):
        monkeypatch.setattr(process.runpy, "run_module", lambda *args, **kwargs: command())
        job = {"folder": str(tmp_path / "job"), "parent": os.getppid(), "record": {"identity": IDENTITY}}
        return process.main(json.dumps(job | {"start": start and str(start)}), ["fit"])

    return running


def test_seconds_of_interrupted_processes_count(run, tmp_path):
    record = tmp_path / "job" / "command.json"
    assert run() == 0
    assert json.loads(record.read_text()) == {"identity": IDENTITY, "seconds": pytest.approx(0, abs=50)}
    record.write_text(json.dumps({"identity": IDENTITY, "seconds": 100.0}))
    assert run() == 0
    assert 100 <= json.loads(record.read_text())["seconds"] < 150


def test_seconds_of_a_process_that_is_killed_count(run, tmp_path, monkeypatch):
    record = tmp_path / "job" / "command.json"
    threads = threading.active_count()
    monkeypatch.setattr(process, "SECONDS_BETWEEN_RECORDS", 0.01)
    run(lambda: wait_for(lambda: json.loads(record.read_text())["seconds"] >= 0.1))
    # Nothing is written after the last, and whole, time.
    assert threading.active_count() == threads and [file.name for file in record.parent.glob("*.json*")] == [
        record.name
    ]


def test_seconds_are_kept_where_the_command_breaks(run, tmp_path, monkeypatch):
    times = iter([100.0, 100.0, 107.0])
    monkeypatch.setattr(process, "time", SimpleNamespace(monotonic=lambda: next(times)))

    def breaks():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(breaks)
    assert json.loads((tmp_path / "job" / "command.json").read_text())["seconds"] == 7


def test_first_stage_of_another_run_is_taken_once(run, tmp_path):
    for stage in ("stage1", "stage2"):
        (tmp_path / "other" / stage / "wandb").mkdir(parents=True)
        (tmp_path / "other" / stage / "config.yaml").write_text(stage)
    run(start=tmp_path / "other")
    taken = tmp_path / "job" / "stage1"
    assert [file.name for file in taken.iterdir()] == ["config.yaml"]
    assert (taken / "config.yaml").read_text() == "stage1" and not (tmp_path / "job" / "stage2").exists()
    (taken / "config.yaml").write_text("gone on with")
    run(start=tmp_path / "other")
    assert (taken / "config.yaml").read_text() == "gone on with"


@pytest.mark.parametrize(("code", "status"), [(None, 0), (0, 0), (2, 2), ("what went wrong", 1)])
def test_status_is_that_of_the_command(code, status, run):
    def stop():
        raise SystemExit(code)

    assert run(stop) == status
