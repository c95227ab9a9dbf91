"""What is killed at any of the changes that it makes to its folder, and goes on, ends as what never was."""

import multiprocessing
import os
import signal
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml
from forked import run_forked
from forked_jobs import command_in

from lightning_imbal.cli import main

EXPERIMENTS = Path(__file__).parents[2] / "experiments"

TRAIN = ["fit", "--config", "experiments/demo.yaml", "--model.backbone", "test_resnet", "--data.image_size", "32"]
TRAIN += ["--trainer.max_epochs", "2", "--then.trainer.max_epochs", "2", "--trainer.limit_train_batches", "2"]
TRAIN += ["--trainer.enable_progress_bar", "false", "--trainer.enable_model_summary", "false"]
CHANGES = {"os.rename": 1, "os.remove": 0, "os.mkdir": 0, "os.rmdir": 0, "os.symlink": 1}  # which argument it changes


def is_change(event, arguments, folder):
    """Whether what Python is about to do changes something in a folder."""
    if event == "open":
        changed = arguments[0] if (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) else None
    else:
        changed = arguments[CHANGES[event]] if event in CHANGES else None
    return isinstance(changed, str | os.PathLike) and str(folder) in os.fspath(changed)


def signalled_at(number, sent, count, folder, args):
    """Trains, and sends this process a signal just before a change of the folder; all are counted."""
    changes = 0

    def watch(event, arguments):
        nonlocal changes
        if is_change(event, arguments, folder):
            changes += 1
            if changes == number:
                os.kill(os.getpid(), sent)

    sys.addaudithook(watch)
    status = main([*args, "--run_dir", str(folder)])
    count.write_text(str(changes))
    return status


def files_in(folder):
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that nothing interrupts, and how often it changes its folder."""
    folder = tmp_path_factory.mktemp("killed") / "whole"
    run_forked(signalled_at, 0, 0, folder.with_name("count"), folder, TRAIN)
    return folder, int(folder.with_name("count").read_text())


def check_resumed(number, sent, status, whole, folder, more=()):
    folder.parent.mkdir(exist_ok=True)
    count = folder.with_name("count")
    run_forked(signalled_at, number, sent, count, folder, [*TRAIN, *more], status=status)
    if number % 2 and folder.exists():
        folder = folder.rename(folder.with_name("moved"))
    run_forked(signalled_at, 0, 0, count, folder, [*TRAIN, *more, "--ckpt_path", "last"])
    assert files_in(folder) == files_in(whole), f"change {number}"
    predictions = [pd.read_parquet(run / "predictions.parquet") for run in (whole, folder)]
    pd.testing.assert_frame_equal(*predictions, obj=f"change {number}")


@pytest.mark.slow  # as the ones below, at fewer places
@pytest.mark.parametrize("share", [0.6])
def test_killed_at_some_changes(share, whole, tmp_path):
    folder, changes = whole
    check_resumed(int(share * changes), signal.SIGKILL, -signal.SIGKILL, folder, tmp_path / "run")


@pytest.mark.slow
def test_killed_at_every_change(whole, tmp_path):
    folder, changes = whole
    assert changes > 40
    for number in range(1, changes + 1):
        check_resumed(number, signal.SIGKILL, -signal.SIGKILL, folder, tmp_path / str(number) / "run")


@pytest.mark.slow
@pytest.mark.parametrize(("sent", "status"), {signal.SIGINT: 130, signal.SIGTERM: 143}.items())
@pytest.mark.parametrize("workers", [0, 2])
def test_stopped_at_every_fifth_change(sent, status, workers, whole, tmp_path):
    folder, changes = whole
    for number in range(1, changes, 5):
        more = ["--data.num_workers", str(workers)]
        check_resumed(number, sent, status, folder, tmp_path / str(number) / "run", more)


def table_killed_at(number, count, folder, args):
    """Runs a table, and kills it and the process that is about to make a change of the folder; all are counted."""
    changes, table = multiprocessing.get_context("fork").Value("i"), os.getpid()

    def watch(event, arguments):
        if is_change(event, arguments, folder / "runs"):
            with changes.get_lock():
                changes.value += 1
                reached = changes.value == number
            if reached:
                os.kill(table, signal.SIGKILL)
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
    status = command_in(folder, *args)
    count.write_text(str(changes.value))
    return status


def small_table(folder):
    folder.mkdir()
    rows = {name: {"configs": [str(EXPERIMENTS / "methods" / f"{name}.yaml")]} for name in ("ce", "rs")}
    column = {"dataset": "Digits", "backbone": "resnet", "configs": [str(EXPERIMENTS / "demo.yaml")]}
    spec = {"title": "Digits", "columns": [column], "rows": rows, "metrics": {"f1": {"score": "f1"}}}
    (folder / "small.yaml").write_text(yaml.safe_dump(spec))
    return ["table", str(folder / "small.yaml"), "--jobs", "2", "--runs", str(folder / "runs"), *TRAIN[3:]]


@pytest.mark.slow
def test_a_table_of_two_jobs_killed_at_every_seventh_change(tmp_path):
    whole = tmp_path / "whole"
    run_forked(table_killed_at, 0, tmp_path / "count", whole, small_table(whole))
    changes = int((tmp_path / "count").read_text())
    assert changes > 60
    for number in range(1, changes, 7):
        folder = tmp_path / str(number)
        run_forked(table_killed_at, number, tmp_path / "count", folder, small := small_table(folder), status=-9)
        run_forked(table_killed_at, 0, tmp_path / "count", folder, small)
        assert files_in(folder) == files_in(whole), f"change {number}"
        for name in ("demo+ce+seed0", "demo+rs+seed0"):
            pair = [pd.read_parquet(table / "runs" / name / "predictions.parquet") for table in (whole, folder)]
            pd.testing.assert_frame_equal(*pair, obj=f"{name} at change {number}")
