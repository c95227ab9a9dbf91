"""What Lightning has works here as anywhere: averages, callbacks, what is found, logged and left behind."""

import json
import logging
import os
import sys
import warnings

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from forked import run_ranks
from small_runs import CALLBACK, LIGHTNING, callback, trainer

from lightning_imbal.cli import main
from lightning_imbal.cli.parts.parser import ImbalCLI

TRAIN = ["fit", "--config", "experiments/demo.yaml", "--model.backbone", "test_resnet", "--data.image_size", "32"]
TRAIN += ["--data.num_workers", "0", "--data.batch_size", "64", "--trainer.max_epochs", "2"]
TRAIN += ["--data.split.test", "0.1", "--data.split.val", "0.05"]
TRAIN += ["--trainer.enable_progress_bar", "false", "--trainer.enable_model_summary", "false"]
KINDS = {
    "one stage": ["--config", "methods/ce.yaml"],
    "two stages": ["--config", "methods/ce_crw.yaml", "--then.trainer.max_epochs", "1"],
}


@pytest.fixture(scope="module")
def averaged(tmp_path_factory):
    """A run of two stages under an average that has forgotten little, and a folder of pictures."""
    folder = tmp_path_factory.mktemp("averaged")
    rng = np.random.default_rng(0)
    (folder / "images").mkdir()
    for number in range(70):
        cv2.imwrite(str(folder / "images" / f"{number:02d}.png"), rng.integers(0, 256, (24, 24, 3), dtype=np.uint8))
    ema = ["--config", "variants/ema.yaml", f"{CALLBACK}.decay", "0.8", "--monitor", "null"]
    ema += trainer(limit_train_batches=3)
    assert main([*TRAIN, *KINDS["two stages"], *ema, "--run_dir", str(folder / "run")]) == 0
    return folder


def test_the_average_is_tested_and_handed_to_the_second_stage(averaged):
    run = averaged / "run"
    best = run / "stage2" / "checkpoints" / "best.ckpt"
    assert main(["test", "--ckpt_path", str(best), "--run_dir", str(averaged / "again")]) == 0
    one, two = (pd.read_parquet(folder / "predictions.parquet") for folder in (run, averaged / "again"))
    pd.testing.assert_frame_equal(one, two)
    first, second = (torch.load(run / f"stage{number}/checkpoints/best.ckpt", weights_only=True) for number in (1, 2))
    for name, value in first["state_dict"].items():
        if name.startswith("backbone."):
            assert torch.equal(value, second["state_dict"][name])
    moved = [not torch.equal(value, first["current_model_state"][name]) for name, value in first["state_dict"].items()]
    assert any(moved), "the average is another network than the last step has left"


def test_a_test_of_a_few_batches_writes_nothing(averaged):
    best = averaged / "run" / "stage2" / "checkpoints" / "best.ckpt"
    place = ["--run_dir", str(averaged / "few"), *trainer(fast_dev_run="true")]
    assert main(["test", "--ckpt_path", str(best), *place]) == 0 and not (averaged / "few").exists()


def predict(averaged, name, *more):
    output = averaged / f"{name}.csv"
    best = averaged / "run" / "stage2" / "checkpoints" / "best.ckpt"
    assert main(["predict", "--ckpt_path", str(best), "--images", str(averaged / "images"), "--output", str(output),
                 *more]) == 0  # fmt: skip
    return pd.read_csv(output) if output.exists() else None


def predict_on_a_rank(averaged):
    predict(averaged, "two", *trainer(devices=2, strategy="ddp"))


def test_predict_of_some_batches_and_on_two_devices(averaged):
    whole = predict(averaged, "whole")
    assert whole["file"].tolist() == [f"{number:02d}.png" for number in range(70)]
    pd.testing.assert_frame_equal(predict(averaged, "few", *trainer(limit_predict_batches=1)), whole[:64])
    run_ranks(predict_on_a_rank, averaged)
    pd.testing.assert_frame_equal(pd.read_csv(averaged / "two.csv"), whole, rtol=1e-5)


def test_a_callback_of_the_user_is_in_every_stage_and_one_of_a_schedule_in_its_own():
    warm = f"[{{class_path: LinearWarmup, init_args: {{epochs: 2}}}}, {{class_path: {LIGHTNING}Timer}}]"
    cli = ImbalCLI("fit")

    def names(*more):
        config = cli.read([*TRAIN[1:], *KINDS["two stages"], CALLBACK, warm, *more])
        given = [stage.trainer.callbacks or [] for stage in cli.stages(config)]
        return [[callback.class_path.rpartition(".")[2] for callback in of_stage] for of_stage in given]

    assert names() == [["LinearWarmup", "Timer"], ["Timer"]]
    assert names("--then.trainer.callbacks", "null") == [["LinearWarmup", "Timer"], []]


def test_what_was_found_is_kept_and_gone_on_with(tmp_path, told):
    run = tmp_path / "run"
    finders = [*callback("BatchSizeFinder", max_trials=2, steps_per_trial=1, init_val=16)]
    finders += callback("LearningRateFinder", num_training_steps=20)
    few = trainer(limit_train_batches=10, limit_val_batches=1, limit_test_batches=1)
    args = [*TRAIN, *KINDS["one stage"], *finders, *few, "--run_dir", str(run)]
    assert main(args) == 0
    found = yaml.safe_load((run / "stage1" / "config.yaml").read_text())
    size, optimizer = found["data"]["init_args"]["batch_size"], found["model"]["init_args"]["optimizer"]
    last = torch.load(run / "stage1" / "checkpoints" / "last.ckpt", weights_only=True)
    assert size == 32 and optimizer["init_args"]["lr"] not in (0.1, 1e-3)
    assert last["optimizer_states"][0]["param_groups"][0]["initial_lr"] == optimizer["init_args"]["lr"]
    rate = {"model.optimizer.lr": optimizer["init_args"]["lr"], "data.batch_size": 32}
    assert json.loads((run / "metrics.json").read_text())["identity"]["found"] == {"stage1": rate}
    assert "stage1 was trained with " in told.text and "data.batch_size 32" in told.text
    before = pd.read_parquet(run / "predictions.parquet")
    assert main([*args, "--ckpt_path", "last"]) == 0
    assert yaml.safe_load((run / "stage1" / "config.yaml").read_text())["data"] == found["data"]
    pd.testing.assert_frame_equal(pd.read_parquet(run / "predictions.parquet"), before)


FINDERS = [part for name in ("lr", "batch_size") for part in ("--config", f"variants/{name}_finder.yaml")]


def test_overlays_of_the_finders_are_for_every_stage():
    cli, whole = ImbalCLI("fit"), [*TRAIN, *KINDS["two stages"], *FINDERS]
    for stage in cli.stages(cli.read(whole[1:])):
        names = [each.class_path.rpartition(".")[2] for each in stage.trainer.callbacks]
        assert names == ["LearningRateFinder", "BatchSizeFinder"]


@pytest.mark.slow  # 200 steps
def test_both_stages_are_trained_with_the_rate_that_was_found(tmp_path):
    small = ["--data.batch_size", "4", "--run_dir", str(tmp_path / "run")]
    assert main([*TRAIN, *KINDS["two stages"], *FINDERS[:2], *small]) == 0
    found = json.loads((tmp_path / "run" / "metrics.json").read_text())["identity"]["found"]
    assert [*found] == ["stage1", "stage2"] and all([*each] == ["model.optimizer.lr"] for each in found.values())
    assert len({each["model.optimizer.lr"] for each in found.values()} - {0.1, 0.5, 1e-3}) == 2


def test_losses_of_steps_are_logged_on_demand(tmp_path):
    for number in (0, 2):
        every = trainer(
            max_epochs=1,
            limit_train_batches=6,
            limit_test_batches=0,
            **({"log_every_n_steps": number} if number else {}),
        )
        assert main([*TRAIN, *KINDS["one stage"], *every, "--run_dir", str(tmp_path / str(number))]) == 0
    none, some = (pd.read_csv(tmp_path / str(number) / "stage1" / "metrics.csv") for number in (0, 2))
    assert "train/loss_step" not in none and some["train/loss_step"].notna().sum() >= 3
    pd.testing.assert_series_equal(none["train/loss"].dropna(), some["train/loss"].dropna(), check_index=False)


def test_a_call_leaves_its_process_as_it_was(tmp_path, monkeypatch):
    monkeypatch.setenv("PL_GLOBAL_SEED", "7")
    logger = logging.getLogger("lightning.pytorch.utilities.rank_zero")
    state = lambda: (dict(os.environ), [*sys.path], [*warnings.filters], [*logger.filters], torch.get_rng_state().sum())  # noqa: E731
    before = state()
    assert main([*TRAIN, *KINDS["one stage"], *trainer(fast_dev_run="true"), "--run_dir", str(tmp_path / "run")]) == 0
    assert state() == before


def test_an_option_of_a_stage_that_is_not_there_is_said(tmp_path, told):
    args = [*TRAIN, *KINDS["one stage"], *trainer(fast_dev_run="true"), "--run_dir", str(tmp_path / "run")]
    assert main([*args, "--then.model.loss", "Focal"]) == 0
    assert "--then.model.loss is for a second stage, and this run has none." in told.messages


def test_without_a_seed_it_is_said_what_is_drawn(tmp_path, told):
    args = [*TRAIN, *KINDS["one stage"], *trainer(fast_dev_run="true"), "--run_dir", str(tmp_path / "run")]
    assert main([*args, "--seed_everything", "false"]) == 0
    assert "seed_everything is false: weights are drawn anew each time, samplers draw as with seed 0." in told.messages
