"""The command as users type it, on the digits that scikit-learn ships."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from parsing import parsed, second
from small_runs import refused

from lightning_imbal.cli import main
from lightning_imbal.decisions.file import read_decision

DEMO = ["--config", "experiments/demo.yaml", "--trainer.max_epochs", "1", "--then.trainer.max_epochs", "1"]
DEMO += ["--trainer.enable_progress_bar", "false", "--trainer.enable_model_summary", "false"]
DEMO += ["--trainer.limit_train_batches", "2"]

BAD_LOSS = "{class_path: CrossEntropy, init_args: {weight: effective, beta: 2}}"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished two-stage run."""
    folder = tmp_path_factory.mktemp("runs") / "demo"
    assert main(["fit", *DEMO, "--run_dir", str(folder)]) == 0
    return folder


def test_help_is_one_screen_without_heavy_imports():
    code = (
        "import sys; from lightning_imbal.cli import main; main(['--help']); "
        "heavy = {'torch', 'lightning', 'pandas', 'wandb'} & set(sys.modules); assert not heavy, heavy"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    lines = told.stdout.splitlines()
    assert len(lines) <= 24 and max(map(len, lines)) <= 100
    assert all(verb in told.stdout for verb in ("fit", "validate", "test", "predict", "report", "prepare", "audit"))


def test_fit_leaves_the_files_of_both_stages(run):
    for stage in ("stage1", "stage2"):
        assert (run / stage / "config.yaml").is_file() and (run / stage / "metrics.csv").is_file()
        assert {file.name for file in (run / stage / "checkpoints").iterdir()} == {"best.ckpt", "last.ckpt"}
    config = yaml.safe_load((run / "stage2" / "config.yaml").read_text())
    assert config["model"]["class_path"].endswith("FrozenHead") and config["then"] is None
    assert config["model"]["init_args"]["backbone_ckpt"].endswith("stage1/checkpoints/best.ckpt")
    assert config["data"]["init_args"]["sampler"]["class_path"].endswith("OversampleToMax")


def test_the_validation_part_is_predicted_as_the_test_part(run):
    table, split = pd.read_parquet(run / "predictions_val.parquet"), pd.read_csv(run / "stage2" / "split.csv")
    assert set(table["image"]) == set(split.loc[split["part"] == "val", "image"]) != set()
    curves = pd.read_csv(run / "stage2" / "metrics.csv").dropna(subset="val/accuracy")
    logits = table[[f"logit/{digit}" for digit in range(10)]].to_numpy()
    accuracy = (logits.argmax(axis=1).astype(str) == table["label"].astype(str)).mean()
    assert np.isclose(curves["val/accuracy"], accuracy).any()
    assert len(curves) == len(curves["epoch"].unique()), "it is no epoch of training"
    assert "predictions_val.parquet" in json.loads((run / "metrics.json").read_text())["files"]


def test_metrics_and_predictions_agree(run):
    results = json.loads((run / "metrics.json").read_text())
    table = pd.read_parquet(run / "predictions.parquet")
    probability = table[[f"probability/{digit}" for digit in range(10)]]
    predicted = probability.to_numpy().argmax(axis=1).astype(str)
    assert len(table) == sum(row["images"] for row in results["classes"]) == 540
    assert (predicted == table["label"]).mean() == pytest.approx(results["summary"]["accuracy"])
    assert torch.tensor(results["confusion"]).trace() == (predicted == table["label"]).sum()
    assert probability.sum(axis=1).to_numpy() == pytest.approx(1)
    assert [row["train_images"] for row in results["classes"]][:2] == [106, 76]
    assert results["identity"]["seed"] == 0 and results["identity"]["versions"]["torch"]
    assert results["identity"]["backbone"] == "test_resnet"


def test_fit_ends_with_the_per_class_table(run, capsys):
    assert main(["report", str(run)]) == 0
    told = capsys.readouterr().out
    assert "train images" in told and "F1" in told and "Balanced accuracy" in told


def test_report_compares_runs_side_by_side(run, capsys):
    assert main(["report", str(run), str(run)]) == 0
    told = capsys.readouterr().out
    # What both share is said once; a run that is given twice is told from itself by its place.
    assert told.startswith("F1 per class: CL (temperature 0.1) -> oversampled, DigitsLT")
    header = next(line for line in told.splitlines() if "demo" in line)
    assert header.split("┃")[3].strip() == "demo" and header.split("┃")[4].strip() == "demo (2)"


def test_test_repeats_the_scores_of_fit(run, capsys):
    ckpt_path = str(run / "stage2" / "checkpoints" / "best.ckpt")
    assert main(["test", "--ckpt_path", ckpt_path, "--trainer.enable_progress_bar", "false"]) == 0
    first, again = (json.loads((run / place / "metrics.json").read_text()) for place in (".", "test"))
    assert first["summary"] == again["summary"] and again["identity"]["part"] == "test"
    tables = [pd.read_parquet(run / place / "predictions_val.parquet") for place in (".", "test")]
    pd.testing.assert_frame_equal(*tables)
    assert main(["test", "--ckpt_path", ckpt_path, "--trainer.limit_test_batches", "1"]) == 0
    assert (run / "test_2" / "metrics.json").is_file(), "a second test must not overwrite the first"


def test_a_decision_answers_for_a_folder(run, isic_root, tmp_path, capsys):
    decision, output = tmp_path / "decision.json", tmp_path / "decided.csv"
    assert main(["decide", str(run), "--rule", "Offsets", "--score", "recall/8", "--output", str(decision)]) == 0
    ckpt_path = str(run / "stage2" / "checkpoints" / "best.ckpt")
    place = ["--images", str(isic_root), "--output", str(output), "--decision", str(decision)]
    assert main(["predict", "--ckpt_path", ckpt_path, *place]) == 0
    told = capsys.readouterr()
    assert "another checkpoint" not in told.out + told.err and "0 without an answer" in told.out
    table = pd.read_csv(output, dtype={"predicted": str})
    probability = table[[f"probability/{digit}" for digit in range(10)]].to_numpy()
    answers = read_decision(decision).decision.answer(probability)
    assert table["predicted"].tolist() == answers.astype(str).tolist()
    content = json.loads(decision.read_text())
    content["fitted_on"]["checkpoint"] = "other"
    del content["offsets"]  # with a least confidence, the decision is no sum any more
    decision.write_text(json.dumps(content | {"confidence": 0.999}))
    assert main(["predict", "--ckpt_path", ckpt_path, *place]) == 0
    told = capsys.readouterr()
    assert "was fitted to the predictions of another checkpoint" in told.out + told.err
    table = pd.read_csv(output, dtype={"predicted": str})
    assert table["predicted"].isna().any(), "where there is no answer"
    decision.write_text("{}")
    assert main(["predict", "--ckpt_path", ckpt_path, *place]) == 2
    assert "no decision of this program" in capsys.readouterr().err


def test_pictures_are_normalised_as_in_training(run, isic_root, tmp_path):
    other = [
        "--data.mean",
        "[0.9, 0.9, 0.9]",
        "--data.std",
        "[0.1, 0.1, 0.1]",
        "--trainer.enable_progress_bar",
        "false",
    ]
    ckpt_path = str(run / "stage2" / "checkpoints" / "best.ckpt")
    assert main(["test", "--ckpt_path", ckpt_path, *other, "--run_dir", str(tmp_path / "test")]) == 0
    first, again = (json.loads((folder / "metrics.json").read_text()) for folder in (run, tmp_path / "test"))
    assert first["summary"] == again["summary"]
    outputs = [tmp_path / "own.csv", tmp_path / "other.csv"]
    for output, args in zip(outputs, ([], other), strict=True):
        place = ["--images", str(isic_root), "--output", str(output)]
        assert main(["predict", "--ckpt_path", ckpt_path, *place, *args]) == 0
    assert outputs[0].read_text() == outputs[1].read_text()


@pytest.fixture(scope="module")
def adjusted():
    """What the data of two stages are read as, with options for one of them each."""
    views = ["--data.more_views", "[{class_path: ImageNetCrop, init_args: {hue: 0.1}}]"]
    first = parsed("fit", *DEMO, *views, "--then.data.init_args.batch_size", "48")
    return [config.data.init_args for config in (first, second(first))]


def test_an_option_deep_in_the_second_stage_changes_nothing_else(adjusted):
    first, second = adjusted
    assert second["batch_size"] == 48 and second["sampler"]["class_path"].endswith("OversampleToMax")
    assert first["batch_size"] == 64


def test_each_view_has_its_recipe_and_the_second_stage_the_first_one(adjusted):
    first, second = (data["more_views"] for data in adjusted)
    assert first[0]["class_path"].endswith("ImageNetCrop") and first[0]["init_args"]["hue"] == 0.1 and second is None


def test_split_of_every_stage_is_written(run):
    splits = [pd.read_csv(run / stage / "split.csv") for stage in ("stage1", "stage2")]
    assert splits[0].equals(splits[1]) and list(splits[0]) == ["image", "class", "part"]
    tested = set(pd.read_parquet(run / "predictions.parquet")["image"])
    assert set(splits[0]["image"][splits[0]["part"] == "test"]) == tested


def test_an_overlay_goes_over_the_saved_configuration(run, tmp_path, capsys):
    (tmp_path / "overlay.yaml").write_text("data: {init_args: {split: {init_args: {test: 0.1}}}}\n")
    ckpt_path = str(run / "stage2" / "checkpoints" / "best.ckpt")
    args = ["--config", str(tmp_path / "overlay.yaml"), "--run_dir", str(tmp_path / "results")]
    args += ["--allow_trained_images", "true"]
    assert main(["test", "--ckpt_path", ckpt_path, *args]) == 0
    results = json.loads((tmp_path / "results" / "metrics.json").read_text())
    assert sum(row["images"] for row in results["classes"]) == 180
    assert "results" in refused(capsys, "test", "--ckpt_path", ckpt_path, *args)


def test_validate_scores_the_validation_part(run):
    ckpt_path = str(run / "stage2" / "checkpoints" / "best.ckpt")
    assert main(["validate", "--ckpt_path", ckpt_path, "--trainer.enable_progress_bar", "false"]) == 0
    results = json.loads((run / "validate" / "metrics.json").read_text())
    assert results["identity"]["part"] == "val" and sum(row["images"] for row in results["classes"]) == 180


def test_settings_can_be_chosen_without_a_look_at_the_test_part(tmp_path, capsys):
    run = tmp_path / "run"
    options = ["--config", "experiments/methods/ce.yaml", "--trainer.limit_test_batches", "0", "--run_dir", str(run)]
    assert main(["fit", *DEMO, *options]) == 0
    assert "test part" not in capsys.readouterr().out
    assert not (run / "metrics.json").exists() and not (run / "predictions.parquet").exists()
    assert main(["validate", "--ckpt_path", str(run / "stage1" / "checkpoints" / "best.ckpt")]) == 0
    assert json.loads((run / "validate" / "metrics.json").read_text())["identity"]["part"] == "val"


def test_predict_writes_a_csv(run, isic_root, tmp_path):
    images, output = isic_root / "ISIC2018_Task3_Training_Input", tmp_path / "out.csv"
    ckpt_path = str(run / "stage2" / "checkpoints" / "best.ckpt")
    assert main(["predict", "--ckpt_path", ckpt_path, "--images", str(images), "--output", str(output)]) == 0
    table = pd.read_csv(output, dtype={"predicted": str})
    probability = table.filter(like="probability/")
    assert sorted(table["file"]) == sorted(file.name for file in images.iterdir())
    assert probability.shape[1] == 10 and probability.sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-5)
    assert ("probability/" + table["predicted"] == probability.idxmax(axis=1)).all()


@pytest.mark.parametrize("verb", ["test", "validate"])
def test_a_representation_cannot_be_tested(run, verb, capsys):
    ckpt_path = str(run / "stage1" / "checkpoints" / "best.ckpt")
    assert "second stage" in refused(capsys, verb, "--ckpt_path", ckpt_path)


def test_other_classes_are_refused(run, isic_root, capsys):
    ckpt_path = str(run / "stage2" / "checkpoints" / "best.ckpt")
    args = ["--ckpt_path", ckpt_path, "--data", "ISIC2018", "--data.root", str(isic_root)]
    assert "melanoma" in refused(capsys, "test", *args)


def test_a_refused_run_leaves_nothing_behind(capsys, tmp_path):
    refused(capsys, "fit", *DEMO, "--then", "null", "--run_dir", str(tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_an_earlier_run_is_never_overwritten(run, capsys):
    before = (run / "metrics.json").read_bytes()
    assert "--run_dir" in refused(capsys, "fit", *DEMO, "--run_dir", str(run))
    assert (run / "metrics.json").read_bytes() == before


def test_stage_two_alone_equals_stage_two_after_stage_one(run, tmp_path):
    config = str(run / "stage2" / "config.yaml")
    assert main(["fit", "--config", config, "--run_dir", str(tmp_path / "head")]) == 0
    both, alone = (json.loads((folder / "metrics.json").read_text())["summary"] for folder in (run, tmp_path / "head"))
    assert both == alone


@pytest.mark.slow  # tests/test_seeding.py; and the runs of test_broken_files.py differ in it
def test_the_seed_changes_the_result(run, tmp_path):
    assert main(["fit", *DEMO, "--run_dir", str(tmp_path / "other"), "--seed_everything", "1"]) == 0
    both, other = (json.loads((folder / "metrics.json").read_text())["summary"] for folder in (run, tmp_path / "other"))
    assert both != other


@pytest.mark.parametrize(
    ("args", "named"),
    [
        (["--data.rot", "x"], ["'data.rot'", "did you mean --data.root?"]),
        (["--model", "Clasifier"], ["'Clasifier'", "Classifier"]),
        (["--data.sampler", "ClasPower"], ["'ClasPower'", "ClassPower"]),
        (["--model.optimizer.lrx", "1"], ["SGD", "'lrx'", "lr"]),
        (["--model.backbone", "resnet5"], ["'resnet5'", "resnet50"]),
        (["--model.pretrained", "no_such.safetensors"], ["no_such.safetensors", "pretrained"]),
        (["--trainer.max_epoch", "1"], ["trainer.max_epoch", "trainer.max_epochs"]),
        (["--run_dri", "x"], ["run_dri", "run_dir"]),
        (["--trainer.max_epochs", "many"], ["max_epochs", "int", "many"]),
        (["--data.batch_size", "1.5"], ["batch_size", "int", "1.5"]),
        (["--config", "missing.yaml"], ["missing.yaml"]),
        (["--trainer.logger", "CSVLogger"], ["CSVLogger needs save_dir", "--trainer.logger.save_dir"]),
        (["--trainer.callbacks.patience", "3"], ["trainer.callbacks", "'patience'", "+=EarlyStopping"]),
        (["--model.mixer.alpha", "3"], ["SupConRepresentation", "'mixer'", "temperature"]),
        (["--then.model.head.alpha", "3"], ["Linear", "'alpha'", "bias"]),
        (["--then.model.class_path", "FrozenHed"], ["'FrozenHed'", "FrozenHead"]),
        (["--then", "null"], ["SupConRepresentation", "FrozenHead"]),
        (["--ckpt_path", "some.ckpt"], ["some.ckpt", "--ckpt_path last"]),
        (["--then.data.init_args.split.init_args.seed", "1"], ["test images of the second stage", "the same split"]),
        (["--monitor", "val/f1", "--data.split.val", "0"], ["val/f1", "--data.split.val"]),
        (["--data.split.test", "1.5"], ["Holdout", "1.5"]),
        (["--model.temperature", "0"], ["temperature"]),
        (["--data.group_by", "lesion"], ["lesion", "DigitsLT"]),
        (
            ["--then.model.init_args.loss", "{class_path: CrossEntropy, init_args: {weight: effective, beta: 2}}"],
            ["beta"],
        ),
        (["--trainer.strategy", "nonsense"], ["nonsense"]),
        (["--model.optimizer.lr", "1e30"], ["loss", "lower the learning rate"]),
    ],
)
def test_bad_input_gets_one_sentence(args, named, capsys, tmp_path):
    sentence = refused(capsys, "fit", *DEMO, "--run_dir", str(tmp_path / "run"), *args)
    assert all(word in sentence for word in named), sentence


@pytest.mark.parametrize(
    ("args", "named"),
    [
        (
            ["--model.backbone", "test_resnet", *DEMO],
            ["model has no class yet", "--model.backbone is", "--model CLASS"],
        ),
        (["--config", "experiments/methods/ce.yaml", "--data", "FolderData"], ["no folder my_images", "--data.root"]),
        (["--data", "ISIC2018", "--config", "experiments/methods/ce.yaml"], ["ISIC2018 needs root", "--data.root"]),
    ],
)
def test_what_is_read_too_early_or_left_out_gets_one_sentence(args, named, capsys, tmp_path):
    sentence = refused(capsys, "fit", *args, "--run_dir", str(tmp_path / "run")).splitlines()[-1]
    assert all(name in sentence for name in named) and not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("args", "named"),
    [
        (["fti"], ["'fti'", "fit"]),
        (["fit"], ["data", "model", "--config"]),
        (["report"], ["report"]),
        (["report", "nowhere"], ["nowhere", "metrics.json"]),
        (["test"], ["--ckpt_path"]),
        (["test", "--ckpt_path", "nowhere.ckpt"], ["nowhere.ckpt"]),
    ],
)
def test_a_wrong_verb_gets_one_sentence(args, named, capsys):
    sentence = refused(capsys, *args)
    assert all(word in sentence for word in named), sentence


def test_a_misspelt_key_in_a_config_is_named(capsys, tmp_path):
    config = tmp_path / "bad.yaml"
    config.write_text("modle: {class_path: Classifier}\n")
    assert "modle" in refused(capsys, "fit", *DEMO, "--config", str(config))
    config.write_text("model: {class_path: Classifier, init_args: {bakbone: resnet50}}\n")
    assert "backbone" in refused(capsys, "fit", *DEMO, "--config", str(config))
    config.write_text("model: [\n")
    assert "bad.yaml" in refused(capsys, "fit", *DEMO, "--config", str(config))


def test_missing_data_says_where_to_get_it(capsys, tmp_path):
    args = ["--config", "experiments/marrakchi_isic.yaml", "--run_dir", str(tmp_path / "run")]
    sentence = refused(capsys, "fit", *args, "--data.root", str(tmp_path / "nothing"))
    assert sentence.startswith("lightning_imbal: ISIC2018 not found")
    for word in ("ISIC2018_Task3_Training_Input", str(tmp_path / "nothing"), "https://", "--data.root"):
        assert word in sentence
