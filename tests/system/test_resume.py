"""A run that is killed and resumed ends like one that never was."""

import json
import os
import signal

import pandas as pd
import pytest
import torch
from forked import run_forked

from lightning_imbal import modules
from lightning_imbal.cli import main

QUIET = ["--trainer.enable_progress_bar", "false", "--trainer.enable_model_summary", "false"]
TRAIN = ["fit", "--config", "experiments/demo.yaml", "--trainer.max_epochs", "2", "--then.trainer.max_epochs", "2"]
TRAIN += ["--trainer.limit_train_batches", "3", "--data.split.test", "0.1", *QUIET]


def run_until_killed(module, args):
    kind = getattr(modules, module)
    step = kind.training_step

    def killed(self, batch, batch_idx):
        if (self.current_epoch, batch_idx) == (1, 2):
            os.kill(os.getpid(), signal.SIGKILL)
        return step(self, batch, batch_idx)

    kind.training_step = killed
    return main(args)


def kill(module, args):
    run_forked(run_until_killed, module, args, status=-signal.SIGKILL)


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


ONE_STAGE = ["fit", "--config", "experiments/demo.yaml", "--then", "null", "--trainer.max_epochs", "3"]
ONE_STAGE += QUIET
EMA = ["--config", "variants/ema.yaml", "--trainer.callbacks.decay", "0.9"]
SWA = ["--config", "variants/swa.yaml", "--trainer.callbacks.swa_epoch_start", "1"]
PROXIES = ["--data.views", "2", "--model.loss.warm", "0", "--model.loss.balanced", "0.3"]
REVERSED = ["--data.paired_sampler", "Reversed"]
METHODS = {
    # Both schedules are switched when the run is killed, in the second of three epochs.
    "deferred and mixed": (
        "Classifier",
        ["--model.loss", "Deferred", "--model.loss.loss", "LDAM", "--model.loss.start", "0.3"]
        + ["--model.head", "NormedLinear", "--model.mixer", "MixUp", "--data.sampler", "DeferredBalance"]
        + ["--data.sampler.start", "0.3"],
    ),
    "cut and pasted": ("Classifier", ["--model.mixer", "CutMix", "--data.sampler", "ProgressiveBalance"]),
    "paired": (
        "BalancedMixUpClassifier",
        ["--data.paired_sampler", "ClassPower", "--data.paired_sampler.q", "0"],
    ),
    "views and pairs": (
        "HybridSC",
        ["--data.views", "2", "--data.paired_sampler", "ClassPower", "--data.paired_sampler.q", "0"],
    ),
    "proxies": ("ECL", PROXIES),
    "averaged": ("Classifier", EMA),
    "averaged at the end": ("Classifier", SWA),
    "proxies, averaged": ("ECL", [*PROXIES, *EMA]),
    "proxies, averaged at the end": ("ECL", [*PROXIES, *SWA]),
    "branches, averaged": ("BBN", [*REVERSED, *EMA]),
    "branches, averaged at the end": ("BBN", [*REVERSED, *SWA]),
    "loader processes": ("Classifier", ["--data.num_workers", "2"]),
    "centers": ("MetricLearningClassifier", ["--model.metric", "CenterTerm", "--model.metric_weight", "0.001"]),
}


def test_the_last_epoch_is_kept_even_if_it_is_not_the_best(tmp_path):
    """Else a resumed run would train again what came after the best epoch."""
    args = [*ONE_STAGE, "--model", "Classifier", "--model.optimizer.lr", "1e-30", "--monitor", "val/f1"]
    args += ["--trainer.limit_train_batches", "1", "--trainer.limit_test_batches", "0"]
    assert main([*args, "--run_dir", str(tmp_path / "run")]) == 0
    checkpoints = tmp_path / "run" / "stage1" / "checkpoints"
    assert {file.name for file in checkpoints.iterdir()} == {"best.ckpt", "last.ckpt"}
    epochs = [torch.load(checkpoints / name, weights_only=True)["epoch"] for name in ("best.ckpt", "last.ckpt")]
    assert epochs[1] == 2, "the score of a model that does not learn stays the same"
    assert epochs[0] < 2


@pytest.mark.slow  # tests/schedulers/test_plateau.py resumes it through its state, which is in a checkpoint for any
def test_a_schedule_that_waits_for_a_score_goes_on_where_it_was(tmp_path):
    """At a rate that never improves the score, every epoch lowers it."""
    plateau = "{class_path: Plateau, init_args: {monitor: val/f1, patience: 0, factor: 0.5}}"
    args = [*ONE_STAGE, "--model", "Classifier", "--model.optimizer.lr", "1e-20", "--model.scheduler", plateau]
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert main([*args, "--run_dir", str(whole)]) == 0
    kill("Classifier", [*args, "--run_dir", str(broken)])
    assert main([*args, "--run_dir", str(broken), "--ckpt_path", "last"]) == 0
    one, two = (torch.load(run / "stage1" / "checkpoints" / "last.ckpt", weights_only=True) for run in (whole, broken))
    rates = [group["lr"] for state in (one, two) for group in state["optimizer_states"][0]["param_groups"]]
    assert rates[0] == rates[1] < 1e-20


# A slow one is two others at once, but for what its own tests hold; or goes on as within an epoch, which is tested.
SLOW = ("centers", "cut and pasted", "views and pairs", "paired", "loader processes", "deferred and mixed", "proxies")
SLOW += tuple(name for name in METHODS if "averaged" in name)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in METHODS]
)
def test_killed_in_the_middle_of_a_schedule_gives_the_same_weights(name, tmp_path):
    module, chosen = METHODS[name]
    args = [*ONE_STAGE, "--model", module, *chosen]
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert main([*args, "--run_dir", str(whole)]) == 0
    kill(module, [*args, "--run_dir", str(broken)])
    assert main([*args, "--run_dir", str(broken), "--ckpt_path", "last"]) == 0
    one, two = (torch.load(run / "stage1" / "checkpoints" / "last.ckpt", weights_only=True) for run in (whole, broken))
    # The average is saved after one epoch more, for statistics.
    assert one["epoch"] == two["epoch"] == (4 if "at the end" in name else 2)
    assert all(torch.equal(value, two["state_dict"][key]) for key, value in one["state_dict"].items())
    assert one.get("metric_optimizer") == two.get("metric_optimizer")
    assert ("metric_optimizer" in one) == (name == "centers")
    momentum = [run["callbacks"].get("ProxyCycleUpdate", {}).get("optimizer") for run in (one, two)]
    assert str(momentum[0]) == str(momentum[1])
    assert (momentum[0] is not None) == name.startswith("proxies")
