"""Features of the test images and their map: the callback by itself, and on the command line."""

import random
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from forked import run_forked
from small_runs import build, digits, make_trainer, refused
from torch import nn

from lightning_imbal.callbacks.test_features import SaveFeatures, map_features
from lightning_imbal.cli import main
from lightning_imbal.data import Holdout
from lightning_imbal.heads import ClosedFormHead, NearestClassMean
from lightning_imbal.modules import BBN, ECL, Classifier, FrozenHead
from lightning_imbal.modules.perturbed import PerturbedClassifier
from lightning_imbal.predictors import DihedralTTA, PerturbedInput, Plain, Predictor, TemperatureScaled

QUIET = ["--trainer.enable_progress_bar", "false", "--trainer.enable_model_summary", "false"]
DEMO = ["fit", "--config", "experiments/demo.yaml", "--trainer.max_epochs", "1", "--trainer.limit_train_batches", "2"]
DEMO += [*QUIET, "--data.split.test", "0.029"]  # an odd number of test images
CE = [*DEMO, "--config", "experiments/methods/ce.yaml"]
SAVE = ["--save_features", "true"]
SMALL = Holdout(test=0.1, val=0.1)


def read(folder):
    with np.load(folder / "features.npz") as arrays:
        return dict(arrays)


def features_of(model, data, folder):
    """The features that a test leaves."""
    trainer = make_trainer(folder, callbacks=[SaveFeatures(max_mapped=20)], inference_mode=False)
    trainer.test(model, data, verbose=False)
    return read(folder)


def expected(model, data):
    """Features of the test images as the backbone gives them, and their rows in the sample table."""
    with torch.no_grad():
        batches = [data.normalize.batch(batch, torch.float32) for batch in data.test_dataloader()]
        features = [model.backbone(batch["image"]) for batch in batches]
    if isinstance(model, BBN):  # both blocks, one below the other
        features = [torch.cat(feature.chunk(2), dim=1) for feature in features]
    return torch.cat(features), torch.cat([batch["index"] for batch in batches])


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A classifier, and the features that its test has left."""
    data = digits(split=SMALL)
    model = build(Classifier, data, predictor=Plain)
    return model, features_of(model, data, tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The same short run without and with features."""
    folder = tmp_path_factory.mktemp("runs")
    assert main([*CE, "--run_dir", str(folder / "without")]) == 0
    assert main([*CE, *SAVE, "--run_dir", str(folder / "with")]) == 0
    return folder


def test_fit_writes_features_beside_the_predictions(runs):
    found, table = read(runs / "with"), pd.read_parquet(runs / "with" / "predictions.parquet")
    assert {name: array.shape for name, array in found.items() if name != "feature"} == dict.fromkeys(
        ("image", "label", "x", "y"), (len(table),)
    )
    assert found["image"].tolist() == table["image"].tolist() and found["label"].tolist() == table["label"].tolist()
    assert found["feature"].dtype == np.float16 and found["feature"].shape[0] == len(table)
    assert found["image"].dtype.kind == found["label"].dtype.kind == "U"
    assert found["x"].dtype == found["y"].dtype == np.float32
    assert np.isfinite([found["x"], found["y"]]).all()
    assert not (runs / "without" / "features.npz").exists()


def test_predictions_are_the_same_with_and_without_features(runs):
    without, with_features = (pd.read_parquet(runs / name / "predictions.parquet") for name in ("without", "with"))
    pd.testing.assert_frame_equal(without, with_features, check_exact=True)


@pytest.mark.slow
def test_two_devices_write_what_one_writes(runs, tmp_path):
    ckpt_path = str(runs / "with" / "stage1" / "checkpoints" / "best.ckpt")
    args = ["test", "--ckpt_path", ckpt_path, *QUIET, "--run_dir", str(tmp_path), "--trainer.devices", "2"]
    run_forked(main, [*args, "--trainer.strategy", "ddp_fork"])
    one, two = read(runs / "with"), read(tmp_path)
    assert len(one["image"]) % 2 == 1, "no image is repeated, so that none could be dropped"
    for name in ("image", "label"):
        assert one[name].tolist() == two[name].tolist()
    np.testing.assert_allclose(two["feature"], one["feature"], rtol=1e-3, atol=1e-6)


def test_validate_writes_none(runs, tmp_path):
    ckpt_path = str(runs / "with" / "stage1" / "checkpoints" / "best.ckpt")
    assert main(["validate", "--ckpt_path", ckpt_path, *QUIET, *SAVE, "--run_dir", str(tmp_path)]) == 0
    assert (tmp_path / "predictions.parquet").is_file() and not (tmp_path / "features.npz").exists()


def test_a_computed_head_on_the_command_line(tmp_path):
    head = ["--then", "experiments/heads/ncm.yaml", *SAVE]
    assert main([*DEMO, *head, "--run_dir", str(tmp_path)]) == 0
    assert read(tmp_path)["image"].tolist() == pd.read_parquet(tmp_path / "predictions.parquet")["image"].tolist()


def test_it_can_be_given_as_a_callback(tmp_path):
    one = ["--trainer.callbacks", "SaveFeatures", "--trainer.callbacks.max_mapped", "20"]
    assert main([*CE, *one, "--run_dir", str(tmp_path)]) == 0
    assert np.isfinite(read(tmp_path)["x"]).sum() == 20


def test_what_its_constructor_refuses_is_said(tmp_path, capsys):
    args = ["--trainer.callbacks+", "SaveFeatures", "--trainer.callbacks.max_mapped", "-1"]
    assert "max_mapped must not be negative, but is -1" in refused(capsys, *CE, *args, "--run_dir", str(tmp_path))


def test_a_negative_number_is_refused():
    with pytest.raises(ValueError, match="max_mapped must not be negative, but is -1"):
        SaveFeatures(max_mapped=-1)


@pytest.mark.parametrize("kind", [Classifier, ECL, BBN, FrozenHead])
def test_features_are_what_the_head_gets(kind, tmp_path):
    data = digits(split=SMALL)
    options = {"head": NearestClassMean} if kind is FrozenHead else {}
    model = build(kind, data, **options).eval()
    if kind is FrozenHead:
        assert isinstance(model.head, ClosedFormHead)
        model.backbone.load_state_dict(build(Classifier, data).backbone.state_dict())
        make_trainer(tmp_path, enable_checkpointing=False).fit(model, data)
    found = features_of(model, data, tmp_path)
    feature, row = expected(model.eval(), data)
    order = row.argsort()
    assert feature.shape == (len(data.rows("test")), (2 if kind is BBN else 1) * model.feature_size)
    assert found["image"].tolist() == data.table["image"].iloc[row[order]].tolist()
    assert found["label"].tolist() == data.table["class"].iloc[row[order]].tolist()
    assert torch.equal(torch.from_numpy(found["feature"]), feature[order].half())


@pytest.mark.parametrize("predictor", [DihedralTTA, PerturbedInput, TemperatureScaled])
def test_the_plain_image_counts_whatever_the_predictor_asks(predictor, plain, tmp_path):
    data, (_, one) = digits(split=SMALL), plain
    two = features_of(build(Classifier, data, predictor=predictor), data, tmp_path)
    assert one["image"].tolist() == two["image"].tolist()
    # The gradient is taken with another layout of the pixels in memory, whose sums round otherwise.
    np.testing.assert_allclose(two["feature"], one["feature"], rtol=1e-3, atol=1e-6)


def test_of_two_tests_side_by_side_the_plain_image_counts(plain, tmp_path):
    data, (_, one) = digits(split=SMALL), plain
    perturbed = build(PerturbedClassifier, data, perturb=lambda counts: PerturbedInput(counts, epsilon=1.0))
    two = features_of(perturbed, data, tmp_path)
    np.testing.assert_allclose(two["feature"], one["feature"], rtol=1e-3, atol=1e-6)


class Failing(Predictor):
    def forward(self, model, image):
        assert len(model.head._forward_pre_hooks) == 1
        raise RuntimeError("before the head is asked")


def test_no_hook_is_left_after_a_test(plain):
    assert not plain[0].head._forward_pre_hooks


def test_no_hook_is_left_after_an_exception(tmp_path):
    data = digits(split=SMALL)
    model = build(Classifier, data, predictor=Failing)
    with pytest.raises(RuntimeError, match="before the head is asked"):
        features_of(model, data, tmp_path)
    assert not model.head._forward_pre_hooks and not (tmp_path / "features.npz").exists()


def test_random_numbers_are_left_alone(tmp_path):
    states = []
    for callbacks in ([], [SaveFeatures(max_mapped=20)]):
        data = digits(split=SMALL)
        model = build(Classifier, data)
        random.seed(1), np.random.seed(1), torch.manual_seed(1)
        make_trainer(tmp_path, callbacks=callbacks).test(model, data, verbose=False)
        states.append((random.random(), np.random.rand(), torch.rand(1).item()))
    assert states[0] == states[1] and (tmp_path / "features.npz").is_file()


def test_an_image_has_the_name_of_its_class(tmp_path):
    trainer = SimpleNamespace(
        datamodule=SimpleNamespace(table=pd.DataFrame({"image": ["a", "b", "c"]})),
        callbacks=[],
        default_root_dir=tmp_path,
        is_global_zero=True,
    )
    model = SimpleNamespace(class_names=["nv", "mel", "df"], gather=lambda tensor: tensor, head=nn.Identity())
    callback = SaveFeatures()
    callback.on_test_start(trainer, model)
    for index, label in ((2, 1), (0, 0), (2, 1)):  # as several devices leave them
        callback.on_test_batch_start(trainer, model, {"label": torch.tensor([label]), "index": torch.tensor([index])})
        model.head(torch.full((1, 4), float(index)))
    callback.on_test_epoch_end(trainer, model)
    found = read(tmp_path)
    assert found["image"].tolist() == ["a", "c"] and found["label"].tolist() == ["nv", "mel"]
    assert found["feature"][:, 0].tolist() == [0, 2]


def test_a_second_test_starts_anew(tmp_path):
    data, callback = digits(split=SMALL), SaveFeatures(max_mapped=20)
    trainer = make_trainer(tmp_path, callbacks=[callback], limit_test_batches=1)
    for _ in range(2):
        model = build(Classifier, data)
        trainer.test(model, data, verbose=False)
        assert len(read(tmp_path)["image"]) == 64


def test_features_beyond_half_precision_stay_finite(tmp_path):
    data = digits(split=SMALL)
    model = build(Classifier, data)
    model.backbone.register_forward_hook(lambda *args: args[-1] * 1e9)
    assert np.isfinite(features_of(model, data, tmp_path)["feature"]).all()


# The map


def blobs(counts, size=8):
    """Features around one point for each class, and their labels."""
    rng = np.random.default_rng(0)
    label = rng.permutation(np.repeat(np.arange(len(counts)), counts))
    return (rng.normal(size=(len(label), size)) + 20 * np.eye(size)[label]).astype(np.float16), label


@pytest.mark.parametrize(
    "counts, number, mapped",
    [
        ([40, 10, 4], 1000, [40, 10, 4]),
        ([40, 10, 4], 14, [5, 5, 4]),
        ([40, 10, 4], 15, [5, 6, 4]),
        ([40, 10, 4], 24, [10, 10, 4]),
        ([40, 10, 4], 1, [0, 0, 1]),
        ([40, 10, 4], 0, [0, 0, 0]),
    ],
)
def test_rare_classes_are_on_the_map_before_common_ones(counts, number, mapped):
    feature, label = blobs(counts)
    place = map_features(feature, label, number)
    on_map = np.isfinite(place).all(axis=1)
    assert np.bincount(label[on_map], minlength=len(counts)).tolist() == mapped


def test_the_map_keeps_neighbours_together_and_is_always_the_same():
    feature, label = blobs([40, 24, 16])
    place = map_features(feature, label, 1000)
    distance = np.linalg.norm(place[:, None] - place, axis=2)
    np.fill_diagonal(distance, np.inf)
    assert (label[distance.argmin(axis=1)] == label).all()
    assert np.array_equal(place, map_features(feature, label, 1000))


@pytest.mark.parametrize(
    ("number", "size"),
    [
        *((number, size) for size in (1, 2, 64) for number in (0, 1, 2, 3, 4, 5, 6, 31)),
        *(pytest.param(91, size, marks=pytest.mark.slow if size < 64 else ()) for size in (1, 2, 64)),
    ],
)
def test_few_images_have_finite_places(number, size):
    feature = np.random.default_rng(0).normal(size=(number, size)).astype(np.float16)
    place = map_features(feature, np.zeros(number, dtype=int), 1000)
    assert place.shape == (number, 2) and place.dtype == np.float32 and np.isfinite(place).all()


@pytest.mark.parametrize("distinct", [1, 2, 5])
def test_equal_features_have_finite_places(distinct):
    feature = np.resize(np.eye(distinct, 64, dtype=np.float16), (100, 64))
    assert np.isfinite(map_features(feature, np.zeros(100, dtype=int), 1000)).all()


def test_features_that_are_no_numbers_are_not_on_the_map():
    feature, label = blobs([20, 20])
    feature[3, 1] = np.nan
    assert np.flatnonzero(np.isnan(map_features(feature, label, 1000)[:, 0])).tolist() == [3]
