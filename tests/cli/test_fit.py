"""Which epoch a second stage starts from and which one is tested. Nothing is trained."""

import os
from types import SimpleNamespace

import pytest
import torch

from lightning_imbal.callbacks.kept_epoch import KeptEpoch
from lightning_imbal.cli import fit
from lightning_imbal.cli.parts.parser import ImbalCLI

DEMO = ["fit", "--config", "experiments/demo.yaml"]


@pytest.fixture
def untrained(monkeypatch):
    """Runs `fit` with Trainers that train nothing: its models, and what was tested."""
    told = SimpleNamespace(models=[], tested=[], seeds=[])

    def stage_trainer(cli, config, built, folder, trained_images, watching):
        told.models.append(built.model)
        told.seeds.append(config.seed_everything)
        kept = [KeptEpoch(folder, "best"), KeptEpoch(folder, "last")]
        for each in kept:
            each.best_model_path = str(folder / each.filename)
        return SimpleNamespace(
            checkpoint_callbacks=kept,
            callbacks=kept,
            loggers=[],
            limit_test_batches=1.0,
            fast_dev_run=False,
            fit=lambda *args, **kwargs: None,
            test=lambda *args, ckpt_path, **kwargs: told.tested.append(ckpt_path),
        )

    monkeypatch.setattr(fit, "stage_trainer", stage_trainer)
    monkeypatch.setattr(fit, "show_results", lambda *args: None)
    return told


def test_the_best_epoch_is_handed_on_and_that_of_the_last_stage_is_tested(untrained, tmp_path):
    assert fit.run([*DEMO, "--run_dir", str(tmp_path)]) == 0
    assert untrained.models[1].backbone_ckpt == os.path.relpath(tmp_path / "stage1" / "best")
    # The validation part, then the test part.
    assert untrained.tested == [str(tmp_path / "stage2" / "best")] * 2


def test_a_drawn_seed_is_that_of_every_stage(untrained, tmp_path):
    assert fit.run([*DEMO, "--seed_everything", "true", "--run_dir", str(tmp_path)]) == 0
    first, second = untrained.seeds
    assert type(first) is int and first == second


def test_a_class_that_is_missing_is_named_once(untrained, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr("lightning_imbal.data.checks.rank_zero_info", said.append)
    monkeypatch.setattr("lightning_imbal.data.checks.missing_classes", lambda data: ["No fold has an eight."])
    assert fit.run([*DEMO, "--run_dir", str(tmp_path)]) == 0
    assert said == ["No fold has an eight."]


def test_a_second_stage_draws_what_it_would_draw_alone():
    cli = ImbalCLI("fit")
    first, second = cli.stages(cli.read(DEMO[1:]))
    data, weights = fit.build(cli, first, "", None).data, []
    for drawn_before in (0, 9):
        torch.rand(drawn_before)
        weights.append(fit.build(cli, second, "stage1/best.ckpt", data).model.head.weight)
    assert torch.equal(*weights)
