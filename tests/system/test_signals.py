"""Signals to the processes of a run, however they were started: one sentence, the status, and nothing lost."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from forked import SECONDS, address, started, wait_for

from lightning_imbal.cli import main

TRAIN = ["fit", "--config", "experiments/demo.yaml", "--trainer.limit_train_batches", "2", "--trainer.strategy", "ddp"]
TRAIN += ["--trainer.devices", "2", "--trainer.enable_progress_bar", "false", "--trainer.enable_model_summary", "false"]
LONG = ["--trainer.max_epochs", "2000"]
GO_ON = "every finished epoch is kept, continue with the same command and --ckpt_path last."


def by_slurm(rank):
    size = dict.fromkeys(["SLURM_NTASKS", "SLURM_NTASKS_PER_NODE"], "2")
    own = dict.fromkeys(["SLURM_PROCID", "SLURM_LOCALID"], str(rank))
    job = {"SLURM_JOB_ID": "4242", "SLURM_JOB_NAME": "train", "SLURM_NODEID": "0", "SLURM_JOB_NUM_NODES": "1"}
    return size | own | job | {"SLURM_NNODES": "1", "SLURM_NODELIST": "localhost"}


def by_torchrun(rank):
    together = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "GROUP_RANK": "0", "TORCHELASTIC_RUN_ID": "1"}
    return together | {"RANK": str(rank), "LOCAL_RANK": str(rank)}


def ended(launcher, args, happened=None, sent=None, ranks=(0, 1), **more):
    """Statuses and sentences of two processes; when something has happened, a signal is sent to some of them."""
    place = address() | {"WANDB_MODE": "disabled"} | more
    with started(place | launcher(rank) for rank in (0, 1)) as start:
        processes = start(main, args)
        if happened:
            wait_for(happened)
            for rank in ranks:
                os.kill(processes[rank].pid, sent)
        for process in processes:
            process.join(SECONDS)
        told = "".join(process.log.read_text() for process in processes)
        assert "Traceback" not in told and "frame #" not in told, told
        return [process.exitcode for process in processes], re.findall("^lightning_imbal: (.*)", told, re.MULTILINE)


@pytest.mark.parametrize(
    "launcher",
    [by_torchrun, pytest.param(by_slurm, marks=pytest.mark.slow)],  # the same but for the variables
)
def test_a_signal_to_all_is_told_once(launcher, tmp_path):
    checkpoint = tmp_path / "stage1" / "checkpoints" / "last.ckpt"
    statuses, told = ended(launcher, [*TRAIN, *LONG, "--run_dir", str(tmp_path)], checkpoint.exists, signal.SIGTERM)
    assert statuses == [143, 143] and told == [f"Interrupted: {GO_ON}"]


@pytest.mark.parametrize("killed", [1, pytest.param(0, marks=pytest.mark.slow)])  # the same from the other side
def test_a_rank_that_is_killed_is_named(killed, tmp_path):
    checkpoint = tmp_path / "stage1" / "checkpoints" / "last.ckpt"
    args = [*TRAIN, *LONG, "--run_dir", str(tmp_path)]
    statuses, [told] = ended(by_slurm, args, checkpoint.exists, signal.SIGKILL, [killed])
    assert statuses[killed] == -signal.SIGKILL and statuses[1 - killed] == 1
    assert re.fullmatch(rf"Rank {killed} of 2, on .*, has ended \(.*\): {re.escape(GO_ON)}", told)


@pytest.mark.parametrize("launcher", [by_slurm, pytest.param(by_torchrun, marks=pytest.mark.slow)])  # as above
def test_a_refusal_is_seen_by_each_process_and_told_once(launcher, tmp_path):
    (tmp_path / "metrics.json").touch()
    statuses, [told] = ended(launcher, [*TRAIN, "--run_dir", str(tmp_path)])
    assert statuses == [2, 2] and "already holds a run" in told
    statuses, [told] = ended(launcher, [*TRAIN, "--run_dir", str(tmp_path / "new"), "--seed_everything", "true"])
    assert statuses == [2, 2] and told.startswith("seed_everything is true, and each process")


BATCH = """
import os, subprocess, sys
sys.argv.remove("--kill-on-bad-exit=1")
tasks = [
    subprocess.Popen(sys.argv[1:], env=os.environ | {"SLURM_PROCID": str(rank), "SLURM_LOCALID": str(rank)})
    for rank in range(2)
]
for rank, task in enumerate(tasks):
    open(f"task{rank}", "w").write(str(task.pid))
sys.exit(max(abs(task.wait()) for task in tasks))
"""


@pytest.mark.slow
def test_a_job_whose_time_is_over_is_started_again_and_goes_on(tmp_path, monkeypatch):
    """The template of the documentation, with programs in the place of SLURM's."""
    root, programs = Path.cwd(), tmp_path / "programs"
    programs.mkdir()
    for name, text in {
        "srun": f"#!{sys.executable}\n{BATCH}",
        "scontrol": f'#!/bin/sh\necho "$@" >> {tmp_path}/asked',
        "lightning_imbal": f'#!/bin/sh\nexec {sys.executable} -m lightning_imbal "$@"',
    }.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    for name, value in (by_slurm(0) | address() | {"WANDB_MODE": "disabled"}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PATH", str(programs), prepend=os.pathsep)
    monkeypatch.setenv("PYTHONPATH", str(root), prepend=os.pathsep)
    monkeypatch.chdir(tmp_path)
    script = ["bash", str(root / "docs" / "slurm.sh"), str(root / TRAIN[2]), "--trainer.limit_train_batches", "2"]
    script += ["--trainer.max_epochs", "12", "--then.trainer.max_epochs", "2", "--trainer.enable_progress_bar", "false"]
    subprocess.run([*script, "--seed_everything", "0"], check=True, timeout=SECONDS)
    whole = Path("runs/train-4242").rename("whole")
    with subprocess.Popen(script, stderr=subprocess.PIPE, text=True) as batch:
        wait_for(Path("runs/train-4242/stage1/checkpoints/last.ckpt").exists)
        for rank in range(2):
            os.kill(int(Path(f"task{rank}").read_text()), signal.SIGUSR1)
        told = re.findall("^lightning_imbal: (.*)", batch.stderr.read(), re.MULTILINE)
    assert batch.returncode == 138 and Path("asked").read_text() == "requeue 4242\n"
    assert told == ["Interrupted: every finished epoch is kept, SLURM starts job 4242 again, which goes on by itself."]
    assert not Path("runs/train-4242/metrics.json").exists()
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    subprocess.run(script, check=True, timeout=SECONDS)
    tables = [pd.read_parquet(run / "predictions.parquet") for run in (whole, Path("runs/train-4242"))]
    pd.testing.assert_frame_equal(*tables)
    again = subprocess.run(script, check=True, timeout=SECONDS, capture_output=True, text=True)
    assert "runs/train-4242 is finished." in again.stderr
