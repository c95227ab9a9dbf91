"""`test --pool` and `predict --pool`, on pictures of which two each are of one lesion."""

import json

import numpy as np
import pandas as pd
import pytest
from layouts import paint
from small_runs import refused

from lightning_imbal.cli import main
from lightning_imbal.runs.run import Run

PATTERN = r"(?P<lesion>lesion\d+)_"
QUIET = ["--trainer.enable_progress_bar", "false", "--trainer.enable_model_summary", "false"]
SMALL = ["--model.backbone", "test_resnet", "--model.pretrained", "false", "--data.image_size", "32"]
SMALL += ["--trainer.max_epochs", "1", "--trainer.accelerator", "cpu", "--data.num_workers", "0", "--laptop", "false"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run."""
    folder = tmp_path_factory.mktemp("own")
    label = np.repeat([0, 1], [48, 24])
    names = [f"{'ab'[c]}/lesion{n // 2}_{n % 2}.png" for n, c in enumerate(label)]
    paint([folder / "images" / name for name in names], label)
    data = ["--data.root", str(folder / "images"), "--data.group_pattern", PATTERN, "--data.batch_size", "16"]
    args = ["fit", "--config", "experiments/own_folder.yaml", *SMALL, *data, *QUIET]
    assert main([*args, "--run_dir", str(folder / "run")]) == 0
    return folder / "run"


def ckpt(run):
    return ["--ckpt_path", str(run / "stage1" / "checkpoints" / "best.ckpt"), *QUIET]


def by_lesion(run, how):
    table = pd.read_parquet(run / "predictions.parquet")
    lesion = table["image"].str.extract(r"(lesion\d+)_")[0]
    return table.groupby(lesion, sort=False)[["probability/a", "probability/b"]].agg(how)


def test_scores_are_of_lesions(run, tmp_path, capsys):
    assert main(["test", *ckpt(run), "--pool", "mean", "--run_dir", str(tmp_path / "test")]) == 0
    told = capsys.readouterr().out
    assert "pooled by mean" in told and "test groups" in told and "count as one" in " ".join(told.split())
    found, expected = pd.read_parquet(tmp_path / "test" / "predictions.parquet"), by_lesion(run, "mean")
    assert found["image"].tolist() == expected.index.tolist() and len(found) == len(Run(run).predictions.image) // 2
    assert np.allclose(found[expected.columns], expected, rtol=0, atol=1e-6)
    results = json.loads((tmp_path / "test" / "metrics.json").read_text())
    right = found[expected.columns].to_numpy().argmax(axis=1) == (found["label"] == "b")
    assert results["summary"]["accuracy"] == pytest.approx(right.mean())
    assert results["identity"]["pool"] == "mean" and np.sum(results["confusion"]) == len(found)
    # Each row is a unit by itself, whatever the split says of images.
    predictions = Run(tmp_path / "test").predictions
    assert predictions.unit.tolist() == found["image"].tolist() and predictions.grouped.all()


def test_the_largest_is_scaled_to_one(run):
    assert main(["test", *ckpt(run), "--pool", "max"]) == 0
    found, expected = pd.read_parquet(run / "test" / "predictions.parquet"), by_lesion(run, "max")
    expected = expected.div(expected.sum(axis=1), axis=0)
    assert np.allclose(found[expected.columns], expected, rtol=0, atol=1e-6)


def test_what_cannot_be_pooled_is_refused_before_the_test(run, tmp_path, capsys):
    place = ["--run_dir", str(tmp_path / "test"), "--allow_trained_images", "true"]
    no_lesions = ["--data.group_pattern", "null", "--data.group_by", "null"]
    assert "no lesion or patient" in refused(capsys, "test", *ckpt(run), *place, *no_lesions, "--pool", "mean")
    of_both = ["--data.group_pattern", r"(\d)_", "--data.group_by", "null", "--pool", "max"]
    assert "has images of a and of b" in refused(capsys, "test", *ckpt(run), *place, *of_both)
    assert not (tmp_path / "test").exists()


def test_predictions_of_a_folder_are_of_its_lesions(run, tmp_path, capsys):
    images = run.parent / "images"
    plain, pooled = tmp_path / "plain.csv", tmp_path / "pooled.csv"
    assert main(["predict", *ckpt(run), "--images", str(images), "--output", str(plain)]) == 0
    assert main(["predict", *ckpt(run), "--images", str(images), "--output", str(pooled), "--pool", "mean"]) == 0
    assert "36 predictions" in capsys.readouterr().out
    single, found = pd.read_csv(plain), pd.read_csv(pooled)
    expected = single.groupby(single["file"].str.extract(r"(lesion\d+)_")[0], sort=False)
    assert found.columns.tolist() == ["group", "images", "predicted", "probability/a", "probability/b"]
    assert (found["images"] == 2).all() and found["group"].tolist() == list(expected.groups)
    mean = expected[["probability/a", "probability/b"]].mean()
    assert np.allclose(found[mean.columns], mean, rtol=0, atol=1e-6)
    assert found["predicted"].tolist() == ["ab"[row] for row in mean.to_numpy().argmax(axis=1)]


def test_a_folder_without_a_pattern_is_not_pooled(run, tmp_path, capsys):
    args = ["--images", str(run.parent / "images"), "--output", str(tmp_path / "x.csv"), "--pool", "mean"]
    sentence = refused(capsys, "predict", *ckpt(run), *args, "--data.group_pattern", "null", "--data.group_by", "null")
    assert "--data.group_pattern" in sentence and not (tmp_path / "x.csv").exists()
