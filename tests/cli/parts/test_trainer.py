"""What the Trainer of a stage keeps and brings along, and what the results of a run are named by."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from jsonargparse import Namespace
from lightning.pytorch.callbacks import (
    EarlyStopping,
    EMAWeightAveraging,
    LearningRateFinder,
    StochasticWeightAveraging,
)
from lightning.pytorch.loggers import CSVLogger
from small_runs import build, digits

from lightning_imbal.callbacks import LinearWarmup, ResultsWriter
from lightning_imbal.cli.parts import trainer as trainer_module
from lightning_imbal.cli.parts.check import tell_unused
from lightning_imbal.cli.parts.trainer import (
    checkpoints,
    chosen_callbacks,
    evaluation_trainer,
    loggers,
    stage_trainer,
)
from lightning_imbal.data import Holdout
from lightning_imbal.heads import KNearest
from lightning_imbal.modules import Classifier, FrozenHead, SupConRepresentation
from lightning_imbal.runs.identity import split_digest


@pytest.fixture
def data():
    return digits(split=Holdout(test=0.3, val=0.1, seed=2))


@pytest.fixture
def config():
    outside = {"seed_everything": 7, "run_dir": "runs/mine", "ckpt_path": "a.ckpt", "monitor": "val/ece"}
    model = {"class_path": "Classifier", "init_args": {"predictor": {"class_path": "own.FlipTTA"}}}
    data = {"class_path": "DigitsLT", "init_args": {}}
    return Namespace(**outside, monitor_mode="min", model=Namespace(model), data=Namespace(data))


def built(kind, data, **trainer):
    own = {
        "fast_dev_run": False,
        "barebones": False,
        "enable_checkpointing": None,
        "log_every_n_steps": None,
        "logger": False,
        "callbacks": None,
        "plugins": None,
        "sync_batchnorm": False,
        "accelerator": "cpu",
        "max_epochs": 1,
    } | trainer
    return Namespace(model=build(kind, data), data=data, trainer=Namespace(own), save_features=False)


def train(kind, data, config, folder, **trainer):
    return stage_trainer(SimpleNamespace(parser=None), config, built(kind, data, **trainer), folder / "stage1")


def about(trainer):
    return next(callback for callback in trainer.callbacks if isinstance(callback, ResultsWriter)).identity


def test_best_epoch_has_the_lowest_score_where_less_is_better(data, config, tmp_path):
    best, last = train(Classifier, data, config, tmp_path).checkpoint_callbacks
    assert (best.monitor, best.mode, best.filename) == ("val/ece", "min", "best")
    assert (last.monitor, last.filename) == (None, "last")


def test_what_has_no_scores_keeps_its_last_epoch(data, config, tmp_path):
    [kept] = train(SupConRepresentation, data, config, tmp_path).checkpoint_callbacks
    assert (kept.monitor, kept.save_last) == (None, "link")
    assert len(checkpoints(tmp_path, None, "max")) == 1


def test_callbacks_of_the_user_are_kept(data, config, tmp_path):
    for chosen in (LinearWarmup(), [LinearWarmup()]):
        trainer = train(Classifier, data, config, tmp_path, callbacks=chosen)
        assert [type(callback) for callback in trainer.callbacks].count(LinearWarmup) == 1


def test_early_stopping_waits_for_a_classifier(data, config, tmp_path, told):
    stop = [EarlyStopping("val/f1", mode="max")]
    with_scores, without = build(Classifier, data), build(SupConRepresentation, data)
    for model, expected in ((with_scores, stop), (without, [])):
        of_stage = Namespace(trainer=Namespace(callbacks=stop), model=model, save_features=False)
        assert chosen_callbacks(of_stage) == expected
        tell_unused(stop, model)
    said = "EarlyStopping waits for val/f1, which SupConRepresentation, without a classifier, does not have"
    assert said in told.text and "Classifier," not in told.text


def test_a_computed_classifier_goes_without_what_is_of_steps(data, told):
    chosen = [LinearWarmup(), EMAWeightAveraging(), LearningRateFinder(), StochasticWeightAveraging(0.1)]
    computed = build(FrozenHead, data, head=KNearest)
    of_stage = Namespace(trainer=Namespace(callbacks=chosen), model=computed, save_features=False)
    assert chosen_callbacks(of_stage) == chosen[:1]
    tell_unused(chosen, computed)
    assert all(f"{type(each).__name__} is of the steps" in told.text for each in chosen[1:])
    assert "LinearWarmup" not in told.text
    of_stage.model = build(FrozenHead, data)
    assert chosen_callbacks(of_stage) == chosen


def test_logger_of_the_user_is_beside_the_csv_file(tmp_path):
    chosen = CSVLogger(tmp_path / "other")
    for given in (chosen, [chosen]):
        own, beside = loggers(tmp_path / "stage1", "run", given)
        assert Path(own.root_dir) == tmp_path / "stage1" and beside is chosen
    assert len(loggers(tmp_path / "stage1", "run", False)) == 1


def test_wandb_is_told_the_title(data, config, tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr(trainer_module, "wandb_logger", lambda *about: told.append(about))
    train(Classifier, data, config, tmp_path, logger=True)
    title = "Classifier, FlipTTA, DigitsLT, 30 % test (split 2), seed 7"
    assert told == [(tmp_path / "stage1", tmp_path.name, "stage1", title)]


def test_results_are_named_by_what_made_them(data, config, tmp_path, monkeypatch):
    monkeypatch.setattr(type(data), "group_name", "lesion")
    data.group_by = "lesion"
    data.index["group"] = data.index["image"]
    split = {"kind": "Holdout", "test": 0.3, "val": 0.1, "seed": 2, "group_by": "lesion"}
    named = {"method": "Classifier", "data": "DigitsLT", "split": split, "seed": 7}
    named["split_digest"] = split_digest(data.table)
    named |= {"data_remarks": [], "trained_images": 0, "ordered": False}
    named["title"] = {"method": "Classifier", "predictor": "FlipTTA", "data": "DigitsLT"}
    assert about(train(Classifier, data, config, tmp_path)) == named | {"name": tmp_path.name, "checkpoint": None}
    trainer = evaluation_trainer(config, built(Classifier, data), tmp_path)
    assert about(trainer) == named | {"name": "mine", "checkpoint": "a.ckpt", "chosen_by": {}}
