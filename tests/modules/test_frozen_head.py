"""The second stage: stored features, computed heads, and what it takes over from the first stage."""

from functools import partial
from types import SimpleNamespace

import pytest
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from pixel_head import fit_pixels
from small_runs import build, digits, make_trainer, sgd
from torch import nn

from lightning_imbal.backbones import twin_last_block
from lightning_imbal.data import Holdout
from lightning_imbal.data.loading.feature_dataset import draws_of_view
from lightning_imbal.data.recipes import ShiftCrop
from lightning_imbal.errors import UserError
from lightning_imbal.heads import LearnableScale, NearestClassMean, NormedLinear, TauNormalized
from lightning_imbal.losses import BWCE
from lightning_imbal.modules import Classifier, FrozenHead
from lightning_imbal.predictors import FlipTTA


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A trained first stage and its checkpoint."""
    folder = tmp_path_factory.mktemp("first")
    data = digits()
    model, trainer = build(Classifier, data, optimizer=lambda p: torch.optim.SGD(p, lr=0.1)), make_trainer(folder)
    trainer.fit(model, data)
    trainer.save_checkpoint(folder / "first.ckpt")
    return model, str(folder / "first.ckpt")


@pytest.fixture
def seen(monkeypatch):
    """Counts the images that pass a backbone."""
    numbers = []
    build_model = FrozenHead.__init__

    def init(self, **kwargs):
        build_model(self, **kwargs)
        self.backbone.register_forward_hook(lambda module, args, output: numbers.append(len(args[0])))

    monkeypatch.setattr(FrozenHead, "__init__", init)
    return numbers


def remembered(data, monkeypatch):
    """What is stored of data while a stage is trained; afterwards nothing is."""
    stored, forget = {}, data.forget_features

    def remember():
        stored.update(data.stored)
        forget()

    monkeypatch.setattr(data, "forget_features", remember)
    return stored


def train(data, folder, first, max_epochs, **kwargs):
    model = build(FrozenHead, data, backbone_ckpt=first[1], optimizer=lambda p: torch.optim.SGD(p, lr=0.5), **kwargs)
    trainer = make_trainer(folder, max_epochs)
    trainer.fit(model, data)
    return model, trainer


def test_another_backbone_or_head_is_refused_before_anything_is_written(first):
    twin, normed = (build(FrozenHead, digits(), backbone_ckpt=first[1], init="keep") for _ in range(2))
    twin_last_block(twin.backbone)
    normed.head = NormedLinear(normed.feature_size, 10)
    for model, part in ((twin, "backbone"), (normed, "head")):
        with pytest.raises(UserError, match=f"The {part} in .*first.ckpt is not the {part} of this stage"):
            model.check_first()
    model = build(FrozenHead, digits(), backbone_ckpt=first[1])
    before = model.backbone.conv1[0].weight.clone()
    model.check_first()
    assert torch.equal(model.backbone.conv1[0].weight, before), "it is looked at alone"


def test_stored_features_give_the_same_classifier_as_images(first, tmp_path):
    runs = [train(digits(), tmp_path, first, max_epochs=2, cache_views=views) for views in (None, 1)]
    (images, _), (features, _) = runs
    assert not torch.equal(images.head.weight, first[0].head.weight)
    torch.testing.assert_close(features.head.weight, images.head.weight, rtol=1e-4, atol=1e-6)
    scores = [trainer.test(model, digits(), verbose=False)[0] for model, trainer in runs]
    assert scores[0]["test/f1"] == scores[1]["test/f1"]
    curves = [float(trainer.callback_metrics["test/accuracy"]) for _, trainer in runs]
    assert curves[0] == curves[1]


def test_backbone_sees_each_image_once(first, tmp_path, seen):
    data = digits()
    train(data, tmp_path, first, max_epochs=2, cache_views=1)
    assert sum(seen) == len(data.rows("train")) + len(data.rows("val"))


def test_versions_differ_and_all_of_them_are_used(first, tmp_path, seen, monkeypatch):
    data = digits(train_transform=ShiftCrop)
    stored = remembered(data, monkeypatch)
    model, _ = train(data, tmp_path, first, cache_views=3, max_epochs=1)
    stored, number = stored["train"], len(data.rows("train"))
    assert stored.feature.shape == (number, 3, model.feature_size)
    assert sum(seen) == 3 * number + len(data.rows("val"))
    assert (stored.feature[:, 0] != stored.feature[:, 1]).any(dim=1).float().mean() > 0.9
    [batch] = stored.batches(torch.tensor([5, 5, 5, 5, 7]), torch.tensor([0, 1, 2, 3, 0]), 5)
    torch.testing.assert_close(batch["feature"][:3], stored.feature[5], rtol=0, atol=0)
    assert torch.equal(batch["feature"][3], stored.feature[5, 0]) and torch.equal(
        batch["feature"][4], stored.feature[7, 0]
    )
    assert batch["label"].tolist() == [*4 * [data.labels_of("train")[5]], data.labels_of("train")[7]]


def test_a_training_on_stored_features_goes_on_within_an_epoch(tmp_path):
    whole, _ = fit_pixels(make_trainer(tmp_path / "whole", 2), optimizer=sgd, cache_views=2)
    kept = ModelCheckpoint(tmp_path, "{step}", every_n_train_steps=7)  # two batches into the second epoch
    fit_pixels(make_trainer(tmp_path, max_steps=7, max_epochs=2, callbacks=[kept]), optimizer=sgd, cache_views=2)
    last, trainer = str(tmp_path / "step=7.ckpt"), make_trainer(tmp_path, 2)
    resumed, _ = fit_pixels(trainer, ckpt_path=last, optimizer=sgd, cache_views=2)
    assert trainer.global_step == 10 and torch.equal(resumed.head.weight, whole.head.weight)


def test_features_leave_the_device_when_training_ends(tmp_path):
    trainer = make_trainer(tmp_path)
    fit_pixels(trainer, optimizer=sgd)
    assert "on_device" not in vars(trainer.train_dataloader.dataset), "the Trainer keeps the loader for a test"


def test_another_predictor_sees_the_images_of_the_validation_part(first, tmp_path, monkeypatch):
    data = digits()
    stored = remembered(data, monkeypatch)
    train(data, tmp_path, first, max_epochs=1, cache_views=1, predictor=FlipTTA)
    assert set(stored) == {"train"} and not data.stored
    assert {"image", "label", "index"} == set(next(iter(data.val_dataloader())))


@pytest.mark.parametrize("devices", [1, 2, 3])
def test_devices_share_the_images_to_encode(devices):
    number = 359
    shares = [draws_of_view(number, 0, devices, rank) for rank in range(devices)]
    assert len({len(share) for share in shares}) == 1, "each device takes part in every gather"
    in_order = [place for draws in zip(*shares, strict=True) for place, _ in draws]
    assert in_order[:number] == list(range(number))


def test_it_needs_a_data_module(first, tmp_path):
    data = digits()
    model = build(FrozenHead, data, backbone_ckpt=first[1], cache_views=1)
    with pytest.raises(UserError, match="cache_views needs an ImbalDataModule"):
        make_trainer(tmp_path).fit(model, train_dataloaders=data.train_dataloader())


def test_it_needs_at_least_one_version():
    with pytest.raises(ValueError, match="cache_views must be at least 1, or null"):
        build(FrozenHead, digits(), cache_views=0)


def features_of(model, data, part):
    images = data.dataset(part, [data.test_recipe])
    batch = torch.stack([images[i]["image"] for i in range(len(images))])
    with torch.no_grad():
        return model.backbone.eval()(data.normalize(batch)), torch.from_numpy(data.labels_of(part))


def test_nearest_class_mean_is_computed_from_the_training_images(first, tmp_path):
    data = digits()
    model, trainer = train(data, tmp_path, first, max_epochs=1, head=NearestClassMean)
    feature, label = features_of(first[0], data, "train")
    mean = torch.stack([feature[label == c].mean(dim=0) for c in range(10)])
    torch.testing.assert_close(nn.functional.normalize(model.head.class_mean.float()), nn.functional.normalize(mean))
    test_feature, test_label = features_of(first[0], data, "test")
    nearest = nn.functional.cosine_similarity(test_feature[:, None], mean, dim=2).argmax(dim=1)
    accuracy = trainer.test(model, digits(), verbose=False)[0]["test/accuracy"]
    assert accuracy == pytest.approx((nearest == test_label).float().mean().item(), abs=1e-6) and accuracy > 0.3


def test_tau_is_chosen_on_the_validation_part(first, tmp_path):
    data = digits()
    model, _ = train(data, tmp_path, first, max_epochs=1, head=TauNormalized, init="keep")
    torch.testing.assert_close(model.head.weight, first[0].head.weight)
    feature, label = features_of(first[0], data, "val")
    weight = first[0].head.weight.detach()

    def balanced_accuracy(tau):
        predicted = (feature @ (weight / weight.norm(dim=1, keepdim=True) ** tau).T).argmax(dim=1)
        return torch.stack([(predicted[label == c] == c).float().mean() for c in label.unique()]).mean().item()

    scores = [balanced_accuracy(k / 10) for k in range(21)]
    assert model.head.tau.item() == pytest.approx(scores.index(max(scores)) / 10)


@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        ({}, {}),
        ({"head": TauNormalized}, {"tau": "balanced accuracy"}),
        ({"head": partial(TauNormalized, tau=1.0)}, {}),
        ({"head": NearestClassMean}, {}),
        ({"loss": BWCE}, {"class weights": "F1"}),
    ],
    ids=["nothing", "tau", "given tau", "closed form", "BWCE"],
)
def test_what_is_chosen_on_the_validation_part_is_known(options, chosen):
    model = build(FrozenHead, SimpleNamespace(class_counts=[9] * 10), **options)
    assert model.chosen_on_validation() == chosen


def test_tau_without_validation_part_is_refused(first, tmp_path):
    with pytest.raises(UserError, match="tau"):
        train(digits(split=Holdout(test=0.3)), tmp_path, first, max_epochs=1, head=TauNormalized, init="keep")


def test_a_computed_head_survives_its_checkpoint(first, tmp_path):
    data = digits()
    model, trainer = train(data, tmp_path, first, max_epochs=1, head=NearestClassMean)
    assert trainer.global_step > 0, "else Lightning writes no checkpoint"
    trainer.save_checkpoint(tmp_path / "head.ckpt")
    loaded = FrozenHead.load_from_checkpoint(tmp_path / "head.ckpt", head=NearestClassMean)
    image = torch.rand(4, 3, 32, 32)
    torch.testing.assert_close(loaded.eval()(image), model.eval()(image), rtol=0, atol=0)


def test_learnable_scale_keeps_the_classifier(first, tmp_path):
    model, _ = train(digits(), tmp_path, first, max_epochs=1, head=LearnableScale, init="keep")
    torch.testing.assert_close(model.head.weight, first[0].head.weight, rtol=0, atol=0)
    torch.testing.assert_close(model.head.bias, first[0].head.bias, rtol=0, atol=0)
    assert not torch.equal(model.head.scale, torch.ones(10))


def test_keeping_the_classifier_needs_one_of_the_same_kind(first, tmp_path):
    with pytest.raises(UserError, match="head in .*first.ckpt"):
        train(digits(), tmp_path, first, max_epochs=1, head=NormedLinear, init="keep")
