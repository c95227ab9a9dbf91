"""`features`: what it stores, finds again and refuses; and runs that are made of it, without a picture."""

import json
import os
import shutil

import cv2
import numpy as np
import pandas as pd
import pytest
from made_features import configuration, store
from small_runs import build, digits, refused

from lightning_imbal.cli import features, main
from lightning_imbal.data import DigitsLT
from lightning_imbal.data.loading.image_dataset import ImageDataset
from lightning_imbal.errors import UserError
from lightning_imbal.modules import BBN
from lightning_imbal.modules.feature_encoder import FeatureEncoder


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("lab")


@pytest.fixture(scope="module")
def stored(place):
    """A configuration and the features that were stored by it."""
    return store(place)


@pytest.fixture
def no_pictures(monkeypatch):
    """Fails where a picture is opened."""

    def opened(*_):
        raise AssertionError("A picture was opened.")

    monkeypatch.setattr(ImageDataset, "__getitem__", opened)
    monkeypatch.setattr(DigitsLT, "read_images", opened)


@pytest.fixture(scope="module")
def from_pictures(stored, place):
    run = place / "pictures"
    assert main(["fit", "--config", str(stored[0]), "--model.cache_views", "1", "--run_dir", str(run)]) == 0
    return run


@pytest.fixture
def from_features(stored, place, no_pictures):
    run = place / "run"
    if not run.exists():
        assert main(["fit", "--config", str(stored[0]), "--data.features", str(stored[1]), "--run_dir", str(run)]) == 0
    return run


def results(run):
    return json.loads((run / "metrics.json").read_text())


def tables(run):
    return [pd.read_parquet(run / name) for name in ("predictions.parquet", "predictions_val.parquet")]


def test_a_run_of_stored_features_is_that_of_the_pictures(from_features, from_pictures, stored):
    for ours, theirs in zip(tables(from_features), tables(from_pictures), strict=True):
        pd.testing.assert_frame_equal(ours, theirs, check_exact=True)
    ours, theirs = results(from_features), results(from_pictures)
    for part in ("summary", "classes", "confusion"):
        assert ours[part] == theirs[part]
    made = ours["identity"].pop("features")
    facts = json.loads((stored[1] / "features.json").read_text())
    assert made["folder"] == str(stored[1]) and made["weights"] == facts["weights"] and made["views"] == 0
    assert "features" not in theirs["identity"] and ours["identity"].keys() == theirs["identity"].keys()
    assert (from_features / "stage1" / "split.csv").read_bytes() == (stored[1] / "split.csv").read_bytes()


def test_it_is_tested_without_and_with_pictures_and_predicts_new_ones(from_features, place, tmp_path, monkeypatch):
    checkpoint = ["--ckpt_path", str(from_features / "stage1" / "checkpoints" / "best.ckpt")]
    assert main(["test", *checkpoint, "--run_dir", str(tmp_path / "a")]) == 0
    assert "features" in results(tmp_path / "a")["identity"]
    monkeypatch.undo()
    assert main(["test", *checkpoint, "--data.features", "null", "--run_dir", str(tmp_path / "b")]) == 0
    assert "features" not in results(tmp_path / "b")["identity"]
    (tmp_path / "new").mkdir()
    cv2.imwrite(str(tmp_path / "new" / "1.png"), np.full((9, 9), 80, np.uint8))
    found = tmp_path / "new.csv"
    assert main(["predict", *checkpoint, "--images", str(tmp_path / "new"), "--output", str(found)]) == 0
    assert len(pd.read_csv(found)) == 1
    for one in ("a", "b"):
        pd.testing.assert_frame_equal(tables(tmp_path / one)[0], tables(from_features)[0], check_exact=True)


def test_a_locked_run_does_without_those_of_the_test_part(stored, tmp_path, capsys):
    features = shutil.copytree(stored[1], tmp_path / "features")
    (features / "test.npy").unlink()
    args = ["fit", "--config", str(stored[0]), "--data.features", str(features), "--data.lock_test", "true"]
    assert main([*args, "--trainer.max_epochs", "1", "--run_dir", str(tmp_path / "run")]) == 0
    identity = results(tmp_path / "run")["identity"]
    assert identity["part"] == "val" and identity["features"]["folder"] == str(features)
    assert "another part" in refused(capsys, *args, "--data.split.seed", "5", "--run_dir", str(tmp_path / "other"))


def test_the_second_call_finds_them(stored, capsys, monkeypatch):
    monkeypatch.setattr(FeatureEncoder, "predict_step", None)
    before = os.stat(stored[1] / "features.json")
    assert main(["features", "--config", str(stored[0]), "--out", str(stored[1])]) == 0
    said = capsys.readouterr().out
    assert "They are there already: train 359, val 180, test 540, the training pictures as they are tested" in said
    assert said.splitlines()[-1].startswith("Next: lightning_imbal fit --config ") and str(stored[1]) in said
    assert os.stat(stored[1] / "features.json") == before


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--data.image_size", "48"], "image_size 32, now 48"),
        (["--views", "2"], "number of augmented versions 0, now 2"),
        (["--data.mean", "[0.25,0.25,0.25]"], "mean [0.5, 0.5, 0.5], now [0.25, 0.25, 0.25]"),
        (["--data.split.seed", "3"], "another part"),
    ],
)
def test_others_are_not_overwritten(options, named, stored, capsys):
    before = (stored[1] / "features.json").read_bytes()
    sentence = refused(capsys, "features", "--config", str(stored[0]), "--out", str(stored[1]), *options)
    assert named in sentence and f"--out {stored[1]}_2" in sentence
    assert (stored[1] / "features.json").read_bytes() == before


def test_a_run_and_a_checkpoint_are_two_networks(capsys):
    assert "not allowed with argument --run" in refused(capsys, "features", "runs/A", "--ckpt_path", "b.ckpt")


def test_random_weights_are_refused(stored, capsys, tmp_path):
    options = ["--config", str(stored[0]), "--model.pretrained", "false", "--out", str(tmp_path / "new")]
    assert "random weights tell nothing" in refused(capsys, "features", *options)
    assert not (tmp_path / "new").exists()


def test_two_branches_are_refused():
    data = digits()
    with pytest.raises(UserError, match="BBN has a network of two branches"):
        features._check(build(BBN, data), data)


def test_a_folder_of_something_else_is_refused(stored, capsys, tmp_path):
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "thesis.doc").write_text("all of it")
    options = ["--config", str(stored[0]), "--out", str(tmp_path / "new")]
    assert "holds something else: give another --out" in refused(capsys, "features", *options)


def test_interrupted_it_leaves_nothing(stored, tmp_path, monkeypatch):
    step, seen = FeatureEncoder.predict_step, []

    def stop(self, batch, batch_idx):
        seen.append(batch_idx)
        if len(seen) > 8:  # within the second part
            raise RuntimeError("The lights went out.")
        return step(self, batch, batch_idx)

    monkeypatch.setattr(FeatureEncoder, "predict_step", stop)
    with pytest.raises(RuntimeError, match="lights"):
        main(["features", "--config", str(stored[0]), "--out", str(tmp_path / "new")])
    assert not list(tmp_path.iterdir()) and len(seen) == 9


@pytest.mark.slow
def test_the_features_of_a_trained_run(place, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = str(configuration(tmp_path))
    model = ["--model", "Classifier", "--model.optimizer", "torch.optim.SGD", "--model.optimizer.lr", "0.01"]
    assert main(["fit", "--config", file, *model, "--trainer.max_epochs", "1", "--run_dir", "first"]) == 0
    assert main(["features", "first"]) == 0
    command = capsys.readouterr().out.splitlines()[-1].removeprefix("Next: lightning_imbal ").split()
    assert main(command) == 0
    made = results(tmp_path / "first-linear_probe")["identity"]
    assert made["features"]["folder"] == "first/features" and made["method"] == "FrozenHead"
    capsys.readouterr()
    # The second stage of a run that begins with the same first one.
    shutil.copytree("first/stage1", "second/stage1")
    then = ["--then", "heads/knn.yaml", "--then.data.features", "first/features"]
    fit = ["fit", "--config", file, *model, "--trainer.max_epochs", "1", *then]
    assert main([*fit, "--run_dir", "second", "--ckpt_path", "last"]) == 0
    capsys.readouterr()
    assert "yet to be trained" in refused(capsys, *fit, "--run_dir", "third")
    run = results(tmp_path / "second")["identity"]
    assert run["features"]["folder"] == "first/features" and "kNN" in json.dumps(run["title"])
    # Those of the weights before the training are others.
    wrong = ["fit", "--config", file, "--data.features", "first/features", "--run_dir", "wrong"]
    assert "other weights of the backbone" in refused(capsys, *wrong)
    assert not (tmp_path / "wrong").exists()


@pytest.mark.slow
def test_a_linear_probe_of_local_weights_can_be_the_first_stage_of_another(place, stored, tmp_path):
    weights, data = tmp_path / "weights" / "test_resnet.safetensors", str(tmp_path / "data")
    weights.parent.mkdir()
    shutil.copy(place / "weights7.safetensors", weights)
    options = ["fit", "--config", str(stored[0]), "--model.pretrained", "local", "--data.root", data]
    options += ["--data.features", str(stored[1])]
    first, second = tmp_path / "first", tmp_path / "second"
    assert main([*options, "--run_dir", str(first)]) == 0
    shutil.copytree(first / "stage1", second / "stage1")
    weights.unlink()
    assert main([*options, "--run_dir", str(second), "--ckpt_path", "last", "--then", "heads/tau_norm.yaml"]) == 0
    assert results(second)["identity"]["fitted"]["tau"] >= 0 and "features" in results(second)["identity"]
