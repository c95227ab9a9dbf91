"""What W&B gets: curves, the final table and the panels, also without an account."""

import os
import subprocess
import sys

import pytest
import wandb
from wandb_file import history, records

from lightning_imbal.cli import main

TRAIN = ["fit", "--config", "experiments/demo.yaml", "--trainer.max_epochs", "2", "--then.trainer.max_epochs", "2"]
TRAIN += ["--trainer.enable_progress_bar", "false", "--trainer.enable_model_summary", "false"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The offline W&B files of both stages, and what the terminal said."""
    folder = tmp_path_factory.mktemp("wandb") / "run"
    command = [sys.executable, "-m", "lightning_imbal", *TRAIN, "--run_dir", str(folder)]
    env = {name: value for name, value in os.environ.items() if not name.startswith("WANDB")}
    env |= {"HOME": str(folder.parent), "NETRC": str(folder.parent / "none"), "WANDB_MODE": "offline"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    paths = [next((folder / stage / "wandb").glob("offline-run-*/*.wandb")) for stage in ("stage1", "stage2")]
    return paths, done.stdout


def test_the_terminal_says_how_to_upload(files):
    _, told = files
    lines = [line for line in told.splitlines() if "W&B" in line]
    assert len(lines) == 2 and all("wandb sync" in line for line in lines)


def test_each_stage_is_a_run_of_one_group(files):
    runs = [record.run for path in files[0] for record in records(path) if record.WhichOneof("record_type") == "run"]
    assert {run.run_group for run in runs} == {"run"}
    assert [run.job_type for run in runs if run.job_type] == ["stage1", "stage2"]


def test_every_validation_epoch_has_the_f1_of_each_class(files):
    rows = [row for row in history(files[0][1]) if "val/f1/0" in row]
    assert len(rows) == 2
    for row in rows:
        scores = [row[f"val/f1/{digit}"] for digit in range(10)]
        assert sum(scores) / 10 == pytest.approx(row["val/f1"], abs=1e-6)


def test_the_end_has_table_bars_and_confusion_matrix(files):
    logged = {key: value for row in history(files[0][1]) for key, value in row.items()}
    assert logged["test/classes._type"] == "table-file" and logged["test/classes.nrows"] == 10
    assert any(key.startswith("test/f1_per_class") for key in logged)
    assert any(key.startswith("test/confusion") for key in logged)


def test_training_goes_on_when_wandb_breaks_down_in_mid_run(monkeypatch, tmp_path):
    def broken(*args, **kwargs):
        raise ConnectionResetError("Connection lost")

    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setattr(wandb.Run, "log", broken)
    args = [*TRAIN, "--config", "experiments/methods/ce.yaml", "--run_dir", str(tmp_path / "run")]
    with pytest.warns(UserWarning, match="goes on without it"):
        assert main(args) == 0
    assert (tmp_path / "run" / "metrics.json").is_file()


def test_training_goes_on_when_wandb_cannot_be_reached(monkeypatch, tmp_path, capsys):
    def unreachable(*args, **kwargs):
        raise wandb.errors.CommError("no route")

    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setattr(wandb, "login", unreachable)
    args = [*TRAIN, "--config", "experiments/methods/ce.yaml", "--run_dir", str(tmp_path / "run")]
    assert main(args) == 0
    assert (tmp_path / "run" / "metrics.json").is_file()
    assert "recorded offline (W&B cannot be used now, CommError)" in capsys.readouterr().out
