"""How a second stage is named and what it takes over; tests of a checkpoint in other ways than it was trained."""

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml
from parsing import parsed, second
from small_runs import refused

from lightning_imbal.cli import main

QUIET = ["--trainer.enable_progress_bar", "false", "--trainer.enable_model_summary", "false"]
DEMO = ["fit", "--config", "experiments/demo.yaml", "--trainer.max_epochs", "1", *QUIET]
DEMO += ["--data.split.test", "0.1", "--trainer.limit_train_batches", "2"]
CE = [*DEMO, "--config", "experiments/methods/ce.yaml"]


def results(folder):
    return json.loads((folder / "metrics.json").read_text())


@pytest.fixture(scope="module")
def ce(tmp_path_factory):
    """A finished run of cross-entropy, with a callback that writes checkpoints of another kind."""
    folder, other = tmp_path_factory.mktemp("runs"), "lightning.pytorch.callbacks.OnExceptionCheckpoint"
    args = ["--trainer.callbacks", other, "--trainer.callbacks.dirpath", str(folder / "broken")]
    assert main([*CE, *args, "--run_dir", str(folder / "ce")]) == 0
    return folder / "ce"


def ckpt(run):
    return str(run / "stage1" / "checkpoints" / "best.ckpt")


def test_a_file_holds_the_second_stage():
    args = ["--then", "experiments/heads/crw.yaml", "--then.trainer.max_epochs", "1"]
    config = second(parsed(*CE, *args)).as_dict()
    wanted = yaml.safe_load(Path("experiments/heads/crw.yaml").read_text())["model"]
    assert config["model"]["class_path"].endswith("FrozenHead")
    assert config["model"]["init_args"]["init"] == wanted["init_args"]["init"] == "keep"
    assert config["model"]["init_args"]["loss"]["init_args"]["weight"] == "inverse"
    assert config["model"]["init_args"]["optimizer"]["init_args"]["lr"] == 0.1
    assert config["trainer"]["max_epochs"] == 1


def test_the_kept_epoch_is_known_beside_a_checkpoint_of_another_kind(ce):
    assert results(ce)["identity"]["part"] == "test"


def test_a_path_is_relative_to_the_file_that_names_it(tmp_path, monkeypatch):
    demo, head = Path("experiments/demo.yaml").resolve(), Path("experiments/heads/crw.yaml").read_text()
    (tmp_path / "heads").mkdir()
    (tmp_path / "heads" / "mine.yaml").write_text(head.replace("inverse", "effective"))
    (tmp_path / "methods").mkdir()
    (tmp_path / "methods" / "mine.yaml").write_text("model: {class_path: Classifier}\nthen: ../heads/mine.yaml\n")
    (tmp_path / "short.yaml").write_text("then: {trainer: {max_epochs: 1}}\n")
    monkeypatch.chdir(tmp_path)
    configs = [part for name in (str(demo), "methods/mine.yaml", "short.yaml") for part in ("--config", name)]
    config = second(parsed("fit", *configs))
    assert config.model.init_args.loss.init_args.weight == "effective"
    assert config.trainer.max_epochs == 1


def test_a_missing_file_is_named(capsys, tmp_path):
    args = ["--then", "heads/cwr.yaml", "--run_dir", str(tmp_path / "run")]
    assert "heads/cwr.yaml" in refused(capsys, *CE, *args)


def test_a_file_without_a_stage_is_named(capsys, tmp_path):
    (tmp_path / "empty.yaml").write_text("trainer: {max_epochs: 3}\n")
    sentence = refused(capsys, *CE, "--then", str(tmp_path / "empty.yaml"), "--run_dir", str(tmp_path / "run"))
    assert "empty.yaml" in sentence and "model" in sentence


def test_a_head_needs_a_trained_backbone(capsys, tmp_path):
    args = [*DEMO, "--config", "experiments/heads/crw.yaml", "--then", "null", "--run_dir", str(tmp_path / "run")]
    assert "--model.backbone_ckpt FILE" in refused(capsys, *args)


@pytest.mark.parametrize(
    ("args", "named"),
    [
        (
            ["--then", "experiments/heads/lws.yaml", "--model.head", "NormedLinear"],
            ["NormedLinear is no LearnableScale"],
        ),
        (
            ["--model", "SupConRepresentation", "--then", "experiments/heads/crw.yaml"],
            ["SupConRepresentation", "init: new"],
        ),
        (["--then", "experiments/heads/tau_norm.yaml", "--data.split.val", "0", "--monitor", "null"], ["tau"]),
    ],
)
def test_a_head_that_cannot_follow_is_refused_before_training(args, named, capsys, tmp_path):
    sentence = refused(capsys, *CE, "--run_dir", str(tmp_path / "run"), *args)
    assert all(word in sentence for word in named), sentence
    assert not (tmp_path / "run").exists()


def test_another_class_brings_no_arguments_of_the_first(tmp_path):
    adam = "then: {model: {init_args: {optimizer: {class_path: torch.optim.Adam, init_args: {lr: 0.01}}}}}\n"
    (tmp_path / "adam.yaml").write_text(adam)
    args = ["--config", "experiments/methods/ce_crw.yaml", "--config", str(tmp_path / "adam.yaml")]
    optimizer = second(parsed(*DEMO, *args)).model.init_args.optimizer
    assert optimizer.class_path == "torch.optim.Adam" and optimizer.init_args.lr == 0.01


def test_pairs_are_of_the_first_stage_alone():
    first = parsed(*DEMO, "--config", "experiments/methods/balanced_mixup.yaml", "--then", "experiments/heads/ncm.yaml")
    assert first.data.init_args.paired_sampler and second(first).data.init_args.paired_sampler is None


@pytest.mark.parametrize(
    ("args", "named"),
    [
        (["--model", "BalancedMixUpClassifier"], ["BalancedMixUpClassifier", "--data.paired_sampler ClassPower"]),
        (["--model.mixer", "BalancedMixUp"], ["Classifier", "--data.paired_sampler ClassPower"]),
        (["--data.paired_sampler", "ClassPower"], ["Classifier", "paired_sampler", "null"]),
        (["--model.loss", "Focall"], ["'Focall'", "Focal"]),
        # Read as the loss is.
        *(
            pytest.param(*given, marks=pytest.mark.slow)
            for given in [
                (["--model.mixer", "MixUpp"], ["'MixUpp'", "MixUp"]),
                (["--model.head", "NormdLinear"], ["'NormdLinear'", "NormedLinear"]),
                (["--model.predictor", "FlipTA"], ["'FlipTA'", "FlipTTA"]),
                (["--model.scheduler", "Stepps"], ["'Stepps'", "Steps"]),
            ]
        ),
        (["--model.scheduler", "{class_path: Steps, init_args: {at: [2]}}"], ["at", "0..1"]),
        (["--model", "MetricLearningClassifier", "--model.metric", "CentreTerm"], ["'CentreTerm'", "CenterTerm"]),
        (["--model.loss", "LogitAdjusted", "--model.predictor", "PostHocAdjusted"], ["LogitAdjusted", "Plain"]),
        (["--model.loss.weight", "inverted"], ["model.loss.weight", "'none', 'inverse', 'effective'", "'inverted'"]),
        (["--model.mixer", "{class_path: MixUp, init_args: {alpha: much}}"], ["alpha", "float", "'much'"]),
        (["--monitor", "val/f2"], ["monitor", "'val/f2'", "val/f1"]),
        (["--model.scheduler", "{class_path: Plateau, init_args: {monitor: kappa}}"], ["'kappa'", "val/kappa"]),
        (["--model.mixer", "{class_path: MixUp, init_args: {alpha: -1}}"], ["alpha", "-1"]),
        (
            ["--model.predictor", "TemperatureScaled", "--data.split.val", "0", "--monitor", "null"],
            ["--data.split.val"],
        ),
    ],
)
def test_bad_choices_get_one_sentence(args, named, capsys, tmp_path):
    sentence = refused(capsys, *CE, "--run_dir", str(tmp_path / "run"), *args)
    assert all(word in sentence for word in named), sentence


def test_any_checkpoint_can_be_tested_with_perturbed_input(ce, tmp_path):
    for epsilon in ("0", "0.05"):
        args = ["--model.predictor", "PerturbedInput", "--model.predictor.epsilon", epsilon, QUIET[0], QUIET[1]]
        assert main(["test", "--ckpt_path", ckpt(ce), *args, "--run_dir", str(tmp_path / epsilon)]) == 0
    plain, zero, perturbed = (
        pd.read_parquet(f / "predictions.parquet") for f in (ce, tmp_path / "0", tmp_path / "0.05")
    )
    pd.testing.assert_frame_equal(plain, zero, check_exact=True)
    assert not plain.equals(perturbed)


# The others are as the perturbed one above: nothing is learned for them.
@pytest.mark.parametrize(
    "predictor",
    [*(pytest.param(name, marks=pytest.mark.slow) for name in ("FlipTTA", "PostHocAdjusted")), "TemperatureScaled"],
)
def test_any_checkpoint_can_be_tested_with_any_predictor(predictor, ce, tmp_path):
    args = ["--model.predictor", predictor, QUIET[0], QUIET[1], "--run_dir", str(tmp_path / "test")]
    assert main(["test", "--ckpt_path", ckpt(ce), *args]) == 0
    plain, other = (pd.read_parquet(folder / "predictions.parquet") for folder in (ce, tmp_path / "test"))
    assert not plain.equals(other)
    same_ranking = results(ce)["summary"]["accuracy"] == results(tmp_path / "test")["summary"]["accuracy"]
    assert same_ranking or predictor != "TemperatureScaled"


def test_plain_and_perturbed_results_are_shown_side_by_side(tmp_path, capsys):
    args = ["--config", "experiments/methods/perturbed.yaml", "--model.more_epsilons", "[0.5]"]
    assert main([*DEMO, *args, "--run_dir", str(tmp_path / "run")]) == 0
    told = capsys.readouterr().out
    assert "F1 per class" in told and all(name in told for name in ("plain", "epsilon"))
    for folder in ("run", "run/plain", "run/epsilon_0_5"):
        assert len(pd.read_parquet(tmp_path / folder / "predictions.parquet")) == 180
        assert results(tmp_path / folder)["identity"]["seed"] == 0
    capsys.readouterr()
    assert main(["report", str(tmp_path / "run" / "plain"), str(tmp_path / "run")]) == 0
    assert "Balanced accuracy" in capsys.readouterr().out


def test_an_external_test_set_needs_no_training(ce, tmp_path):
    """As Messidor-2 for a network trained on EyePACS: other data with the same classes."""
    (tmp_path / "data.yaml").write_text("data: {class_path: DigitsLT, init_args: {split: {class_path: KFold}}}\n")
    args = ["--config", str(tmp_path / "data.yaml"), "--run_dir", str(tmp_path / "test")]
    args += ["--allow_trained_images", "true"]  # which the digits of another split are
    assert main(["test", "--ckpt_path", ckpt(ce), *args, QUIET[0], QUIET[1]]) == 0
    assert results(tmp_path / "test")["identity"]["split"]["kind"] == "KFold"
