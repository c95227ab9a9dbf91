"""What Lightning has works here as anywhere: its callbacks and the options of its Trainer, with every kind of method.

Each ends with its documented effect, by numbers, or in one sentence: no traceback, nothing ignored in silence.
"""

import logging
import os
import re
import sys
import warnings

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from forked import run_ranks

from lightning_imbal.cli import main
from lightning_imbal.cli.parts.parser import ImbalCLI

TRAIN = ["fit", "--config", "experiments/demo.yaml", "--model.backbone", "test_resnet", "--data.image_size", "32"]
TRAIN += ["--data.num_workers", "0", "--data.batch_size", "64", "--trainer.max_epochs", "2"]
TRAIN += ["--data.split.test", "0.1", "--data.split.val", "0.05"]
TRAIN += ["--trainer.enable_progress_bar", "false", "--trainer.enable_model_summary", "false"]
KINDS = {
    "one stage": ["--config", "methods/ce.yaml"],
    "two stages": ["--config", "methods/ce_crw.yaml", "--then.trainer.max_epochs", "1"],
    "ecl": ["--config", "methods/ecl.yaml"],
    "two loaders": ["--config", "methods/balanced_mixup.yaml"],
}
LAST_STAGE = {"two stages": ("stage2", 1)}
CALLBACK, TRAINER, LIGHTNING = "--trainer.callbacks", "--trainer.", "lightning.pytorch.callbacks."


def callback(name, **arguments):
    given = [(f"{CALLBACK}.{key}", str(value)) for key, value in arguments.items()]
    return [f"{CALLBACK}+={LIGHTNING}{name}", *(part for pair in given for part in pair)]


def trainer(**options):
    return [part for key, value in options.items() for part in (f"{TRAINER}{key}", str(value))]


LAST, STEPS = ["--monitor", "null"], ["--data.batch_size", "16"]
COMMON = ("--monitor", "--data.batch_size")  # what follows is for the plain run too
# What becomes of a run: the same predictions, others, so many steps of the last stage, or a sentence.
SAME, OTHER = "same", "other"
CASES = {
    "Callback": (callback("Callback"), SAME),
    "LambdaCallback": (callback("LambdaCallback"), SAME),
    "ModelCheckpoint": (callback("ModelCheckpoint"), SAME),
    "OnExceptionCheckpoint": (callback("OnExceptionCheckpoint", dirpath="DIR"), SAME),
    "LearningRateMonitor": (callback("LearningRateMonitor"), SAME),
    "ModelSummary": (callback("ModelSummary"), SAME),
    "RichModelSummary": (callback("RichModelSummary"), SAME),
    "RichProgressBar": ([*callback("RichProgressBar"), *trainer(enable_progress_bar="true")], SAME),
    "TQDMProgressBar": ([*callback("TQDMProgressBar"), *trainer(enable_progress_bar="true")], SAME),
    "BasePredictionWriter": (callback("BasePredictionWriter"), SAME),
    "Timer": (callback("Timer"), SAME),
    "ThroughputMonitor": (callback("ThroughputMonitor", batch_size_fn="len"), "must be the path of a function"),
    "DeviceStatsMonitor": (callback("DeviceStatsMonitor"), "pip install psutil|^$"),
    "EarlyStopping": (callback("EarlyStopping", monitor="val/f1", patience=9), SAME),
    "EarlyStopping on nothing": (callback("EarlyStopping", monitor="val/f2"), "val/f2"),
    "EMAWeightAveraging": (callback("EMAWeightAveraging", decay=0.5), OTHER),
    "WeightAveraging": (callback("WeightAveraging"), OTHER),
    "StochasticWeightAveraging": ([*callback("StochasticWeightAveraging", swa_lrs=0.01), *LAST], OTHER),
    "StochasticWeightAveraging, best": (
        [*callback("StochasticWeightAveraging", swa_lrs=0.01), "--monitor", "val/f1"],
        "set --monitor null",
    ),
    "GradientAccumulationScheduler": (callback("GradientAccumulationScheduler", scheduling="{0: 2}"), OTHER),
    "BackboneFinetuning": (callback("BackboneFinetuning", unfreeze_backbone_at_epoch=1), "FrozenHead keeps|^$"),
    "BaseFinetuning": (callback("BaseFinetuning"), "BackboneFinetuning or your own"),
    "ModelPruning": (callback("ModelPruning", pruning_fn="l1_unstructured", amount=0.9), OTHER),
    "LearningRateFinder": ([*callback("LearningRateFinder", num_training_steps=20), *STEPS], OTHER),
    "BatchSizeFinder": (callback("BatchSizeFinder", max_trials=1, steps_per_trial=1), OTHER),
    "accelerator": (trainer(accelerator="tpu"), "pip install torch_xla"),
    "strategy": (trainer(strategy="fsdp"), "fsdp"),
    "devices": (trainer(devices=0), "devices"),
    "precision bf16": (trainer(precision="bf16-mixed"), OTHER),
    "precision 64": (trainer(precision="64-true"), OTHER),
    "precision 16": (trainer(precision="16-mixed"), "16-mixed|^$"),
    "logger": (trainer(logger="false"), SAME),
    "logger of a missing package": (trainer(logger="MLFlowLogger"), "pip install mlflow"),
    "fast_dev_run": (trainer(fast_dev_run="true"), "fast_dev_run|^$"),
    "max_epochs": ([*trainer(max_epochs=1), *LAST], OTHER),
    "max_epochs without end": (trainer(max_epochs=-1), "max_epochs is -1"),
    "min_epochs": (trainer(min_epochs=1), SAME),
    "max_steps": (trainer(max_steps=3), 3),
    "min_steps": (trainer(min_steps=1), SAME),
    "max_time": (trainer(max_time="00:01:00:00"), SAME),
    "no time": (trainer(max_time="00:00:00:00"), "max_time"),
    "limit_train_batches": (trainer(limit_train_batches=1), 2),
    "no batches": (trainer(limit_train_batches=0), "limit_train_batches"),
    "limit_val_batches": (trainer(limit_val_batches=1), SAME),
    "no validation, best": ([*trainer(limit_val_batches=0), "--monitor", "val/f1"], "No epoch would be validated"),
    "no validation, last": ([*trainer(limit_val_batches=0), *LAST], SAME),
    "limit_predict_batches": (trainer(limit_predict_batches=1), SAME),
    "overfit_batches": (trainer(overfit_batches=1), 2),
    "val_check_interval": ([*trainer(val_check_interval=2), *LAST], SAME),
    "check_val_every_n_epoch": ([*trainer(check_val_every_n_epoch=2), *LAST], SAME),
    "num_sanity_val_steps": (trainer(num_sanity_val_steps=-1), SAME),
    "log_every_n_steps": (trainer(log_every_n_steps=1), SAME),
    "enable_checkpointing": (trainer(enable_checkpointing="false"), "keeps checkpoints"),
    "enable_model_summary": (trainer(enable_model_summary="true"), SAME),
    "accumulate_grad_batches": (trainer(accumulate_grad_batches=2), OTHER),
    "gradient_clip_val": (trainer(gradient_clip_val=1e-3), OTHER),
    "gradient_clip_algorithm": (trainer(gradient_clip_val=1e-3, gradient_clip_algorithm="value"), OTHER),
    "deterministic": (trainer(deterministic="true"), SAME),
    "benchmark": (trainer(benchmark="true"), SAME),
    "inference_mode": (trainer(inference_mode="false"), SAME),
    "use_distributed_sampler": (trainer(use_distributed_sampler="false"), SAME),
    "profiler": (trainer(profiler="simple"), SAME),
    "detect_anomaly": (trainer(detect_anomaly="true"), SAME),
    "barebones": (trainer(barebones="true"), "keeps checkpoints"),
    "sync_batchnorm": (trainer(sync_batchnorm="true"), SAME),
    "reload_dataloaders_every_n_epochs": (trainer(reload_dataloaders_every_n_epochs=1), SAME),
    "enable_autolog_hparams": (trainer(enable_autolog_hparams="false"), SAME),
    "model_registry": (trainer(model_registry="mine"), SAME),
    "plugins": (trainer(plugins="AsyncCheckpointIO"), SAME),
}


# The loss of ECL weighs classes by their F1 at the last validation.
OF_VALIDATED_WEIGHTS = {"val_check_interval": OTHER, "check_val_every_n_epoch": OTHER}
OF_VALIDATED_WEIGHTS["no validation, last"] = "BWCE weighs classes"


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """Runs without any of it, made when they are asked for."""
    folder, made = tmp_path_factory.mktemp("plain"), {}

    def of(kind, *more):
        if (kind, more) not in made:
            made[kind, more] = folder / str(len(made))
            assert main([*TRAIN, *KINDS[kind], *more, "--run_dir", str(made[kind, more])]) == 0
        return made[kind, more]

    return of


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CASES)
def test_it_has_its_effect_or_is_refused_in_a_sentence(name, kind, plain, tmp_path, capsys):
    arguments, effect = CASES[name]
    arguments = [str(tmp_path) if part == "DIR" else part for part in arguments]
    common = next((arguments[place:] for place, part in enumerate(arguments) if part in COMMON), [])
    if name in OF_VALIDATED_WEIGHTS and kind == "ecl":
        effect = OF_VALIDATED_WEIGHTS[name]
    before = plain(kind, *(common if effect in (SAME, OTHER) else []))
    capsys.readouterr()
    status = main([*TRAIN, *KINDS[kind], *arguments, "--run_dir", str(run := tmp_path / "run")])
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("lightning_imbal: ")]
    if isinstance(effect, str) and effect not in (SAME, OTHER):
        assert (status, len(said)) == (2, 1) or (status == 0 and "^$" in effect), said
        assert re.search(effect, said[0] if said else ""), said
        return
    assert status == 0, said
    stage, epochs = LAST_STAGE.get(kind, ("stage1", 2))
    if isinstance(effect, int):
        last = torch.load(run / stage / "checkpoints" / "last.ckpt", weights_only=True)
        assert last["global_step"] == min(effect, 3) if name == "max_steps" else epochs
        return
    one, two = (pd.read_parquet(folder / "predictions.parquet") for folder in (before, run))
    assert one["image"].equals(two["image"]) and one.equals(two) == (effect == SAME)


@pytest.fixture(scope="module")
def averaged(tmp_path_factory):
    """A run of two stages under an average that has forgotten little, and a folder of pictures."""
    folder = tmp_path_factory.mktemp("averaged")
    rng = np.random.default_rng(0)
    (folder / "images").mkdir()
    for number in range(70):
        cv2.imwrite(str(folder / "images" / f"{number:02d}.png"), rng.integers(0, 256, (24, 24, 3), dtype=np.uint8))
    ema = ["--config", "variants/ema.yaml", f"{CALLBACK}.decay", "0.8", *LAST]
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


def test_what_was_found_is_kept_and_gone_on_with(tmp_path):
    run = tmp_path / "run"
    finders = [*callback("BatchSizeFinder", max_trials=2, steps_per_trial=1, init_val=16)]
    finders += callback("LearningRateFinder", num_training_steps=20)
    args = [*TRAIN, *KINDS["one stage"], *finders, "--run_dir", str(run)]
    assert main(args) == 0
    found = yaml.safe_load((run / "stage1" / "config.yaml").read_text())
    size, optimizer = found["data"]["init_args"]["batch_size"], found["model"]["init_args"]["optimizer"]
    last = torch.load(run / "stage1" / "checkpoints" / "last.ckpt", weights_only=True)
    assert size == 32 and optimizer["init_args"]["lr"] not in (0.1, 1e-3)
    assert last["optimizer_states"][0]["param_groups"][0]["initial_lr"] == optimizer["init_args"]["lr"]
    before = pd.read_parquet(run / "predictions.parquet")
    assert main([*args, "--ckpt_path", "last"]) == 0
    assert yaml.safe_load((run / "stage1" / "config.yaml").read_text())["data"] == found["data"]
    pd.testing.assert_frame_equal(pd.read_parquet(run / "predictions.parquet"), before)


def test_losses_of_steps_are_logged_on_demand(tmp_path):
    for number in (0, 2):
        every = trainer(log_every_n_steps=number) if number else []
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


def test_without_a_seed_it_is_said_what_is_drawn(tmp_path, told):
    args = [*TRAIN, *KINDS["one stage"], *trainer(fast_dev_run="true"), "--run_dir", str(tmp_path / "run")]
    assert main([*args, "--seed_everything", "false"]) == 0
    assert "seed_everything is false: weights are drawn anew each time, samplers draw as with seed 0." in told.messages
