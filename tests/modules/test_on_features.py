"""A head on stored features: the same as on pictures, and what is refused."""

import json
import shutil
from functools import partial

import pytest
import torch
from made_features import GREY, configuration, store
from small_runs import build, make_trainer, sgd
from small_runs import digits as digits_of
from torch import nn

from lightning_imbal.data import Holdout
from lightning_imbal.data.loading.image_dataset import ImageDataset
from lightning_imbal.data.recipes import CenterCrop, ShiftCrop
from lightning_imbal.errors import UserError
from lightning_imbal.heads import KNearest, NearestClassMean, NormedLinear
from lightning_imbal.modules import Classifier, FrozenHead
from lightning_imbal.modules.base_stored import probe, weights_digest
from lightning_imbal.predictors import FlipTTA, PostHocAdjusted, TemperatureScaled

digits = partial(digits_of, mean=GREY, std=GREY)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("stored")


@pytest.fixture(scope="module")
def features(place):
    return str(store(place)[1])


@pytest.fixture(scope="module")
def augmented(tmp_path_factory):
    """Three augmented versions of each training picture."""
    folder = tmp_path_factory.mktemp("augmented")
    return str(store(folder, "--views", "3", train_transform={"class_path": "ShiftCrop"})[1])


def frozen(place, data, **kwargs):
    return build(FrozenHead, data, pretrained=str(place / "weights7.safetensors"), optimizer=sgd, **kwargs)


def trained(place, data, folder, max_epochs=1, **kwargs):
    model, trainer = frozen(place, data, **kwargs), make_trainer(folder, max_epochs)
    trainer.fit(model, data)
    return model, trainer.test(model, data, verbose=False)[0]


def refused(place, data, **kwargs):
    with pytest.raises(UserError) as refusal:
        frozen(place, data, **kwargs).check(data)
    return str(refusal.value)


@pytest.mark.parametrize(
    "kwargs",
    [
        pytest.param({}, marks=pytest.mark.slow),  # as in tests/cli/test_features.py
        {"head": NormedLinear, "predictor": PostHocAdjusted},
        pytest.param({"predictor": TemperatureScaled}, marks=pytest.mark.slow),
        pytest.param({"head": NearestClassMean}, marks=pytest.mark.slow),
        {"head": partial(KNearest, k=None)},
    ],
    ids=["linear", "normed_post_hoc", "temperature", "ncm", "knn"],
)
def test_the_same_as_on_pictures(kwargs, features, place, tmp_path, monkeypatch):
    on_pictures, expected = trained(place, digits(), tmp_path, cache_views=1, **kwargs)
    monkeypatch.setattr(ImageDataset, "__getitem__", None)
    on_features, scores = trained(place, digits(features=features), tmp_path, **kwargs)
    assert scores == expected
    for name, value in on_pictures.head.state_dict().items():
        assert torch.equal(on_features.head.state_dict()[name], value), name


@pytest.mark.parametrize("views", [pytest.param(1, marks=pytest.mark.slow), 2, pytest.param(3, marks=pytest.mark.slow)])
def test_augmented_versions_are_those_that_cache_views_draws(views, augmented, place, tmp_path):
    models = [
        trained(place, digits(train_transform=ShiftCrop, **more), tmp_path, cache_views=views)[0]
        for more in ({}, {"features": augmented})
    ]
    assert torch.equal(models[0].head.weight, models[1].head.weight)


def test_more_versions_than_are_stored(augmented, features, place):
    data = digits(features=augmented, train_transform=ShiftCrop)
    assert "has 3 of each training picture" in refused(place, data, cache_views=4)
    assert "--views 2" in refused(place, digits(features=features), cache_views=2)
    assert data.versions(None) == 3 and data.versions(2) == 2


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"split": Holdout(test=0.3, val=0.1, seed=5)}, "in another part"),
        ({"test_transform": CenterCrop}, "another test_transform"),
        ({"std": (0.1, 0.1, 0.1)}, "another std"),
        ({"short_side": 20}, "short_side 64, now 20"),
    ],
)
def test_features_of_something_else_are_refused(other, named, features, place):
    sentence = refused(place, digits(features=features, **other))
    assert named in sentence and f"--out {features}_2" in sentence


def test_a_grown_label_file_is_refused(features, place, monkeypatch):
    data = digits(features=features)
    grown = data.read_index().iloc[[*range(len(data.index)), 0]].assign(image=lambda t: [*t["image"][:-1], "new.png"])
    monkeypatch.setattr(type(data), "read_index", lambda self: grown)
    assert "is new (new.png)" in refused(place, digits(features=features))


def test_a_locked_test_part_goes_with_the_features_of_all(features, place, tmp_path, monkeypatch):
    data = digits(features=features, lock_test=True)
    frozen(place, data).check(data)
    assert not len(data.rows("test")) and data.read_features(None) is None
    expected = digits(features=features)
    expected.read_features(None)
    assert torch.equal(data.stored["train"].feature, expected.stored["train"].feature)
    split = Holdout(test=0.3, val=0.1, seed=5)
    assert "in another part" in refused(place, digits(features=features, lock_test=True, split=split))


def test_other_weights_are_refused_before_and_while_training(features, place, tmp_path):
    configuration(tmp_path, seed=8)
    data, other = digits(features=features), str(tmp_path / "weights8.safetensors")
    model = build(FrozenHead, data, pretrained=other, optimizer=sgd)
    for refuse in (lambda: model.check(data), lambda: make_trainer(tmp_path).fit(model, data)):
        with pytest.raises(UserError, match="other weights of the backbone"):
            refuse()
    # Weights that are loaded by hand, which nothing knows of before.
    with pytest.raises(UserError, match="other weights of the backbone"):
        make_trainer(tmp_path).fit(build(FrozenHead, data, backbone_ckpt=None, optimizer=sgd, pretrained=other), data)


def test_another_network_of_the_same_weights_is_refused(features, place):
    data = digits(features=features)
    model = frozen(place, data)
    model.backbone.act1 = nn.Tanh()
    with pytest.raises(UserError, match="another answer of the backbone to a test pattern"):
        model.check(data)


def test_who_looks_at_pictures_is_refused(features, place):
    assert "FlipTTA looks at pictures" in refused(place, digits(features=features), predictor=FlipTTA)
    data = digits(features=features)
    with pytest.raises(UserError, match="Classifier looks at pictures, .* choose FrozenHead"):
        build(Classifier, data).check(data)


def test_damaged_features_are_refused(features, place, tmp_path):
    out = shutil.copytree(features, tmp_path / "features")
    with (out / "test.npy").open("r+b") as file:
        file.seek(-4, 2)
        file.write(b"\0\0\x80?")
    with pytest.raises(UserError, match="test.npy is not the file that was stored"):
        digits(features=str(out)).check_features({})
    (out / "split.csv").write_text("image")
    with pytest.raises(UserError, match="split.csv is cut off.*store them again: `lightning_imbal features`"):
        _ = digits(features=str(out)).table
    (out / "features.json").write_text(json.dumps({"data": "DigitsLT"}))
    with pytest.raises(UserError, match="features.json is cut off, damaged"):
        digits(features=str(out)).versions(None)
    with pytest.raises(UserError, match="holds no stored features"):
        digits(features=str(tmp_path / "nothing")).versions(None)
    with pytest.raises(UserError, match="nothing holds no stored features"):
        _ = digits(features=str(tmp_path / "nothing")).table


def test_the_digest_is_of_names_and_numbers():
    state = {"a": torch.zeros(2, 3), "b": torch.tensor(1.0), "bn.num_batches_tracked": torch.tensor(3)}
    same = {"bn.num_batches_tracked": torch.tensor(4), "b": torch.tensor(1.0), "a": torch.zeros(3, 2).T}
    assert weights_digest(state) == weights_digest(same)
    others = [state | {"a": torch.zeros(3, 2)}, state | {"b": torch.tensor(1.0000001)}, {**state, "c": torch.ones(1)}]
    assert len({weights_digest(each) for each in [state, *others]}) == 4


def test_the_probe_leaves_the_mode_as_it_is():
    network = nn.Sequential(nn.Flatten(), nn.Dropout(0.9))
    assert probe(network, 4) == probe(network, 4) and network.training
