"""A run that is killed and resumed ends like one that never was."""

import json
import os
import subprocess
import sys

import pandas as pd

from lightning_imbal.cli import main

TRAIN = ["fit", "--config", "experiments/demo.yaml", "--trainer.max_epochs", "3", "--then.trainer.max_epochs", "3"]
TRAIN += ["--trainer.enable_progress_bar", "false", "--trainer.enable_model_summary", "false"]

KILL = """
import os, sys
import lightning_imbal.modules as modules
from lightning_imbal.cli import main
kind = getattr(modules, sys.argv[1])
step = kind.training_step
def killed(self, batch, batch_idx):
    if (self.current_epoch, batch_idx) == (1, 2):
        os.kill(os.getpid(), 9)
    return step(self, batch, batch_idx)
kind.training_step = killed
main(sys.argv[2:])
"""


def kill(module, args):
    env = os.environ | {"WANDB_MODE": "disabled"}
    done = subprocess.run([sys.executable, "-c", KILL, module, *args], env=env, capture_output=True, timeout=240)
    assert done.returncode == -9, done.stderr


def test_killed_in_both_stages_and_resumed_gives_the_same_predictions(tmp_path):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert main([*TRAIN, "--run_dir", str(whole)]) == 0
    args = [*TRAIN, "--run_dir", str(broken)]
    kill("SupConRepresentation", args)
    kill("FrozenHead", [*args, "--ckpt_path", "last"])
    assert not (broken / "metrics.json").exists()
    assert main([*args, "--ckpt_path", "last"]) == 0
    pd.testing.assert_frame_equal(*(pd.read_parquet(run / "predictions.parquet") for run in (whole, broken)))
    one, two = (json.loads((run / "metrics.json").read_text()) for run in (whole, broken))
    assert one["summary"] == two["summary"] and one["confusion"] == two["confusion"]
    for stage in ("stage1", "stage2"):
        epochs = [pd.read_csv(run / stage / "metrics.csv")["train/loss"].dropna().round(9) for run in (whole, broken)]
        assert set(epochs[0]) == set(epochs[1]), "the curves before the kill are kept"
