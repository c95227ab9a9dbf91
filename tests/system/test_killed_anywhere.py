"""A run that is killed at any of the changes that it makes to its folder, resumed, ends as one that never was."""

import os
import signal
import sys

import pandas as pd
import pytest
from forked import run_forked

from lightning_imbal.cli import main

TRAIN = ["fit", "--config", "experiments/demo.yaml", "--model.backbone", "test_resnet", "--data.image_size", "32"]
TRAIN += ["--trainer.max_epochs", "2", "--then.trainer.max_epochs", "2", "--trainer.limit_train_batches", "2"]
TRAIN += ["--trainer.enable_progress_bar", "false", "--trainer.enable_model_summary", "false"]
CHANGES = {"os.rename": 1, "os.remove": 0, "os.mkdir": 0, "os.rmdir": 0, "os.symlink": 1}  # which argument it changes


def signalled_at(number, sent, count, folder, args):
    """Trains, and sends this process a signal just before a change of the folder; all are counted."""
    changes = 0

    def watch(event, arguments):
        nonlocal changes
        if event == "open":
            changed = arguments[0] if (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) else None
        else:
            changed = arguments[CHANGES[event]] if event in CHANGES else None
        if isinstance(changed, str | os.PathLike) and str(folder) in os.fspath(changed):
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
    run_forked(signalled_at, 0, 0, folder.with_name("count"), folder, TRAIN, WANDB_MODE="disabled")
    return folder, int(folder.with_name("count").read_text())


def check_resumed(number, sent, status, whole, folder, more=()):
    count = folder.with_name("count")
    run_forked(signalled_at, number, sent, count, folder, [*TRAIN, *more], status=status)
    run_forked(signalled_at, 0, 0, count, folder, [*TRAIN, *more, "--ckpt_path", "last"])
    assert files_in(folder) == files_in(whole), f"change {number}"
    predictions = [pd.read_parquet(run / "predictions.parquet") for run in (whole, folder)]
    pd.testing.assert_frame_equal(*predictions, obj=f"change {number}")


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
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
