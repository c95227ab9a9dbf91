"""Every callback that Lightning has, and every option of its Trainer, with every kind of method, on a few pictures.

Each ends with its documented effect, by numbers, or in one sentence: no traceback, nothing ignored in silence.
"""

import re
from collections.abc import Callable
from inspect import signature
from typing import NamedTuple

import pandas as pd
import pytest
import torch
from lightning.pytorch import Trainer, callbacks
from made_pictures import write_protocol
from small_runs import TRAINER, callback, trainer

from lightning_imbal.cli import main

KINDS = {
    "one stage": ["--config", "methods/ce.yaml"],
    "two stages": ["--config", "methods/ce_crw.yaml", "--then.trainer.max_epochs", "1"],
    "ecl": ["--config", "methods/ecl.yaml"],
    "two loaders": ["--config", "methods/balanced_mixup.yaml"],
}
SAME, OTHER = "the predictions of the plain run", "other predictions"
LAST = ("--monitor", "null")


class Case(NamedTuple):
    """What is given and what becomes of it: predictions, steps of the first stage, or a sentence.

    Attributes:
        given: The options.
        effect: SAME, OTHER, or the pattern of a sentence; a pattern with `^$` also allows a run without any.
        steps: Epochs of two times the batches of an epoch are the steps of a plain run: how many here.
        common: Options that the plain run has too.
    """

    given: list[str]
    effect: str
    steps: Callable[[int], int] = lambda batches: 2 * batches
    common: tuple[str, ...] = ()


AT_ONCE = callback("EarlyStopping", monitor="val/f1", mode="max", stopping_threshold=-1)
CASES = {
    "Callback": Case(callback("Callback"), SAME),
    "LambdaCallback": Case(callback("LambdaCallback"), SAME),
    "Checkpoint": Case(callback("Checkpoint"), SAME),
    "ModelCheckpoint": Case(callback("ModelCheckpoint"), SAME),
    "OnExceptionCheckpoint": Case(callback("OnExceptionCheckpoint", dirpath="DIR"), SAME),
    "LearningRateMonitor": Case(callback("LearningRateMonitor"), SAME),
    "ModelSummary": Case(callback("ModelSummary"), SAME),
    "RichModelSummary": Case(callback("RichModelSummary"), SAME),
    "ProgressBar": Case([*callback("ProgressBar"), *trainer(enable_progress_bar="true")], SAME),
    "RichProgressBar": Case([*callback("RichProgressBar"), *trainer(enable_progress_bar="true")], SAME),
    "TQDMProgressBar": Case([*callback("TQDMProgressBar"), *trainer(enable_progress_bar="true")], SAME),
    "BasePredictionWriter": Case(callback("BasePredictionWriter"), SAME),
    "SpikeDetection": Case(callback("SpikeDetection"), SAME),
    "SpikeDetection, of any change": Case(callback("SpikeDetection", mode="max", rtol=0), "Training spike detected|^$"),
    "Timer": Case(callback("Timer"), SAME),
    "ThroughputMonitor": Case(callback("ThroughputMonitor", batch_size_fn="len"), "must be the path of a function"),
    "DeviceStatsMonitor": Case(callback("DeviceStatsMonitor"), "pip install psutil|^$"),
    "EarlyStopping": Case(callback("EarlyStopping", monitor="val/f1", patience=9), SAME),
    "EarlyStopping, at once": Case(AT_ONCE, OTHER, lambda batches: batches, LAST),
    "EarlyStopping, of nothing": Case(callback("EarlyStopping", monitor="val/f2"), "val/f2"),
    "EMAWeightAveraging": Case(callback("EMAWeightAveraging", decay=0.5), OTHER),
    "WeightAveraging": Case(callback("WeightAveraging"), OTHER),
    "StochasticWeightAveraging": Case(
        callback("StochasticWeightAveraging", swa_lrs=0.01), OTHER, lambda batches: 2 * batches + 1, LAST
    ),
    "StochasticWeightAveraging, best": Case(
        [*callback("StochasticWeightAveraging", swa_lrs=0.01), "--monitor", "val/f1"],
        "set --monitor null",
    ),
    "GradientAccumulationScheduler": Case(
        callback("GradientAccumulationScheduler", scheduling="{0: 2, 1: 1}"),
        OTHER,
        lambda batches: -(-batches // 2) + batches,
    ),
    "BackboneFinetuning": Case(callback("BackboneFinetuning", unfreeze_backbone_at_epoch=1), "FrozenHead keeps|^$"),
    "BaseFinetuning": Case(callback("BaseFinetuning"), "BackboneFinetuning or your own"),
    "ModelPruning": Case(callback("ModelPruning", pruning_fn="l1_unstructured", amount=0.9), OTHER),
    "LearningRateFinder": Case(
        callback("LearningRateFinder", num_training_steps=20), OTHER, common=("--data.batch_size", "2")
    ),
    "BatchSizeFinder": Case(
        callback("BatchSizeFinder", max_trials=1, steps_per_trial=1, init_val=32), OTHER, lambda batches: batches
    ),
    "accelerator": Case(trainer(accelerator="tpu"), "pip install torch_xla"),
    "strategy": Case(trainer(strategy="fsdp"), "fsdp"),
    "devices": Case(trainer(devices=0), "devices"),
    "num_nodes": Case(trainer(num_nodes=1), SAME),
    "precision, bf16": Case(trainer(precision="bf16-mixed"), OTHER),
    "precision, 64": Case(trainer(precision="64-true"), OTHER),
    "precision, 16": Case(trainer(precision="16-mixed"), "16-mixed|^$"),
    "logger": Case([*trainer(logger="CSVLogger"), f"{TRAINER}logger.save_dir", "DIR"], SAME),
    "logger, without its folder": Case(trainer(logger="CSVLogger"), "give --trainer.logger.save_dir"),
    "logger, of a missing package": Case(trainer(logger="MLFlowLogger"), "pip install mlflow"),
    "callbacks": Case(trainer(callbacks="null"), SAME),
    "max_epochs": Case(trainer(max_epochs=1), OTHER, lambda batches: batches, LAST),
    "max_epochs, without end": Case(trainer(max_epochs=-1), "max_epochs is -1"),
    "min_epochs": Case([*AT_ONCE, *trainer(min_epochs=2)], SAME),
    "max_steps": Case(trainer(max_steps=1), OTHER, lambda batches: 1, LAST),
    "min_steps": Case([*AT_ONCE, *trainer(min_steps=4)], SAME),
    "max_time": Case(trainer(max_time="00:01:00:00"), SAME),
    "max_time, none": Case(trainer(max_time="00:00:00:00"), "max_time"),
    "limit_train_batches": Case(trainer(limit_train_batches=1), OTHER, lambda batches: 2, LAST),
    "limit_train_batches, none": Case(trainer(limit_train_batches=0), "limit_train_batches"),
    "limit_val_batches": Case(trainer(limit_val_batches=1), SAME),
    "limit_val_batches, best": Case(
        [*trainer(limit_val_batches=0), "--monitor", "val/f1"], "No epoch would be validated"
    ),
    "limit_val_batches, last": Case(trainer(limit_val_batches=0), SAME, common=LAST),
    "limit_test_batches": Case(trainer(limit_test_batches=1), SAME),
    "limit_predict_batches": Case(trainer(limit_predict_batches=1), SAME),
    "overfit_batches": Case(trainer(overfit_batches=1), OTHER, lambda batches: 2, LAST),
    "val_check_interval": Case(trainer(val_check_interval=1), SAME, common=LAST),
    "check_val_every_n_epoch": Case(trainer(check_val_every_n_epoch=2), SAME, common=LAST),
    "num_sanity_val_steps": Case(trainer(num_sanity_val_steps=-1), SAME),
    "log_every_n_steps": Case(trainer(log_every_n_steps=1), SAME),
    "enable_checkpointing": Case(trainer(enable_checkpointing="false"), "keeps checkpoints"),
    "enable_progress_bar": Case(trainer(enable_progress_bar="true"), SAME),
    "enable_model_summary": Case(trainer(enable_model_summary="true"), SAME),
    "accumulate_grad_batches": Case(
        trainer(accumulate_grad_batches=2), OTHER, lambda batches: 2 * -(-batches // 2), LAST
    ),
    "gradient_clip_val": Case(trainer(gradient_clip_val=1e-3), OTHER, common=LAST),
    "gradient_clip_algorithm": Case(
        trainer(gradient_clip_val=1e-3, gradient_clip_algorithm="value"), OTHER, common=LAST
    ),
    "deterministic": Case(trainer(deterministic="true"), SAME),
    "benchmark": Case(trainer(benchmark="true"), SAME),
    "inference_mode": Case(trainer(inference_mode="false"), SAME),
    "use_distributed_sampler": Case(trainer(use_distributed_sampler="false"), SAME),
    "profiler": Case(trainer(profiler="simple"), SAME),
    "detect_anomaly": Case(trainer(detect_anomaly="true"), SAME),
    "barebones": Case(trainer(barebones="true"), "keeps checkpoints"),
    "plugins": Case(trainer(plugins="AsyncCheckpointIO"), SAME),
    "sync_batchnorm": Case(trainer(sync_batchnorm="true"), SAME),
    "reload_dataloaders_every_n_epochs": Case(trainer(reload_dataloaders_every_n_epochs=1), SAME),
    "default_root_dir": Case(trainer(default_root_dir="DIR"), SAME),
    "enable_autolog_hparams": Case(trainer(enable_autolog_hparams="false"), SAME),
    "model_registry": Case(trainer(model_registry="mine"), SAME),
}
# The loss of ECL weighs classes by their F1 at the last validation.
OF_ECL = {
    "val_check_interval": OTHER,
    "check_val_every_n_epoch": OTHER,
    "limit_val_batches, last": "BWCE weighs classes",
}


@pytest.fixture(scope="module")
def protocol(tmp_path_factory):
    """A file with what every run shares, of pictures whose classes have a colour each."""
    return ["fit", "--config", str(write_protocol(tmp_path_factory.mktemp("pictures"), max_epochs=2))]


@pytest.fixture(scope="module")
def plain(protocol, tmp_path_factory):
    """Runs without any of it, made when they are asked for."""
    folder, made = tmp_path_factory.mktemp("plain"), {}

    def of(kind, *common):
        if (kind, common) not in made:
            made[kind, common] = folder / str(len(made))
            assert main([*protocol, *KINDS[kind], *common, "--run_dir", str(made[kind, common])]) == 0
        return made[kind, common]

    return of


def steps_of(run):
    return torch.load(run / "stage1" / "checkpoints" / "last.ckpt", weights_only=True)["global_step"]


def test_none_of_them_is_left_out():
    """Words before the comma are names of callbacks and of options."""
    known = {*callbacks.__all__, *signature(Trainer).parameters} - {"fast_dev_run"}
    assert {name.partition(",")[0] for name in CASES} == known


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_of_one_batch_writes_nothing(kind, protocol, tmp_path):
    run = tmp_path / "run"
    assert main([*protocol, *KINDS[kind], *trainer(fast_dev_run="true"), "--run_dir", str(run)]) == 0
    assert not list(run.rglob("*"))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CASES)
def test_it_has_its_effect_or_is_refused_in_a_sentence(name, kind, protocol, plain, tmp_path, capsys):
    case = CASES[name]
    effect = OF_ECL.get(name, case.effect) if kind == "ecl" else case.effect
    given = [str(tmp_path) if part == "DIR" else part for part in case.given]
    before = plain(kind, *case.common)
    capsys.readouterr()
    status = main([*protocol, *KINDS[kind], *case.common, *given, "--run_dir", str(run := tmp_path / "run")])
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("lightning_imbal: ")]
    if effect not in (SAME, OTHER):
        assert (status, len(said)) == (2, 1) or (status == 0 and "^$" in effect), said
        assert re.search(effect, said[0] if said else ""), said
        return
    assert status == 0, said
    assert steps_of(run) == case.steps(steps_of(before) // 2)
    one, two = (pd.read_parquet(folder / "predictions.parquet") for folder in (before, run))
    assert one["image"].equals(two["image"]) and one.equals(two) == (effect == SAME)
