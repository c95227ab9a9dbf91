"""Modules of whose backbone a part is trained: what moves, at which rates, what is kept, what a second stage gets."""

import warnings
from functools import partial
from types import SimpleNamespace

import pytest
import torch
from lightning.pytorch.callbacks import EMAWeightAveraging, ModelCheckpoint, StochasticWeightAveraging
from small_runs import NAMES, digits, make_trainer
from tiny_vit import TinyViT, save_weights
from torch import nn

from lightning_imbal.backbones import BitFit, LoRA
from lightning_imbal.callbacks import LinearWarmup
from lightning_imbal.errors import UserError
from lightning_imbal.losses.metric_terms import CenterTerm
from lightning_imbal.modules import (
    BBN,
    BCL,
    ECL,
    TSC,
    Classifier,
    FrozenHead,
    MetricLearningClassifier,
    SupConRepresentation,
)
from lightning_imbal.modules.base_tuning import PartlyTrained
from lightning_imbal.schedulers import WarmupCosine

COUNTS = [20, 10, 5, 5, 4, 4, 3, 3, 2, 2]
SGD = partial(torch.optim.SGD, lr=0.1, momentum=0.9)
WAYS = {
    "lora": {"tuning": LoRA(rank=2)},
    "bitfit": {"tuning": BitFit()},
    "block": {"unfreeze": "last_block"},
    "decay": {"tuning": LoRA(rank=2), "unfreeze": "norms", "layer_decay": 0.5},
}
KINDS = {
    "Classifier": (Classifier, 1),
    "SupCon": (SupConRepresentation, 2),
    "TSC": (partial(TSC, queue_size=8), 2),
    "ECL": (partial(ECL, cycle_update=False), 2),
    "BCL": (BCL, 3),
    "BBN": (BBN, 1),
    "Center": (partial(MetricLearningClassifier, metric=CenterTerm), 1),
}


def build(kind=Classifier, backbone="vit", **kwargs):
    torch.manual_seed(0)
    network = TinyViT() if backbone == "vit" else backbone
    kwargs = {"optimizer": SGD, **kwargs}
    return kind(class_counts=COUNTS, class_names=NAMES, backbone=network, **kwargs)


def batch(views):
    torch.manual_seed(1)
    image = torch.randn(6, views, 3, 32, 32) if views > 1 else torch.randn(6, 3, 32, 32)
    return {"image": image, "label": torch.tensor([0, 0, 1, 1, 2, 2])}


def states(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", KINDS)
def test_every_module_moves_what_is_trained_alone(name, way):
    kind, views = KINDS[name]
    model = build(kind, **WAYS[way])
    one = batch(views)
    model.set_epoch(1, 2)
    model.share = 0.5  # of BBN, whose second branch has no gradient in the first epoch
    if name == "TSC":  # whose queue holds nothing to tell apart yet
        model.training_step(one, 0)
    frozen, optimizer = {key: value.clone() for key, value in model.frozen_tensors().items()}, model.build_optimizers(1)
    trained = {key: value.clone() for key, value in model.named_parameters() if value.requires_grad}
    model.training_step({**one, "other": one}, 0).backward()
    unused = [key for key, value in model.named_parameters() if value.requires_grad and value.grad is None]
    assert not unused  # which several devices would wait for
    optimizer.step()
    assert len(frozen) > 5 and all(torch.equal(value, model.state_dict()[key]) for key, value in frozen.items())
    moved = {key for key, value in trained.items() if not torch.equal(value, model.state_dict()[key])}
    assert any(key.startswith("backbone.") for key in moved) and any(not key.startswith("backbone.") for key in moved)
    held = {value for group in optimizer.param_groups for value in group["params"]}
    apart = set(model.metric.parameters()) if name == "Center" else set()
    assert held | apart == {value for value in model.parameters() if value.requires_grad}


def test_batch_norm_keeps_its_statistics_where_its_weight_is_frozen():
    model = build(backbone="test_resnet", unfreeze="last_block").train()
    statistics = {key: value.clone() for key, value in model.named_buffers() if "running" in key}
    model(torch.randn(4, 3, 32, 32))
    moved = {key for key, value in statistics.items() if not torch.equal(value, model.get_buffer(key))}
    assert moved and all(key.startswith("backbone.layer4") for key in moved)
    assert not model.eval().training and model.train().backbone.layer4.training


def test_the_copy_that_follows_a_backbone_keeps_the_same_statistics():
    model = build(partial(TSC, queue_size=8), backbone="test_resnet", unfreeze="last_block").train()
    assert [each.training for each in model.key_backbone.modules()] == [
        each.training for each in model.backbone.modules()
    ]
    assert not all(each.training for each in model.key_backbone.modules())


def test_what_is_trained_is_said():
    model = build(tuning=LoRA(rank=2))
    trained = sum(value.numel() for value in model.parameters() if value.requires_grad)
    everything = sum(value.numel() for value in model.parameters())
    assert model.about_trained() == [
        f"Trained: {trained:,} of {everything:,} parameters (LoRA of rank 2 in 8 layers, head)."
    ]
    assert build().about_trained() == []


def test_rates_of_layers_hold_under_schedule_warm_up_and_finder():
    model = build(layer_decay=0.5, optimizer=partial(torch.optim.SGD, lr=0.8), scheduler=WarmupCosine)
    [optimizer], [schedule] = model.build_optimizers(10)
    blocks = [model.backbone.blocks[0].mlp.fc1.bias, model.backbone.blocks[1].mlp.fc1.bias, model.head.bias]
    before = [value.detach().clone() for value in blocks]
    for value in model.parameters():
        value.grad = torch.ones_like(value)
    rate = optimizer.param_groups[0]["lr"]
    optimizer.step()
    schedule["scheduler"].step()
    moved = [(old - new.detach()).mean().item() / rate for old, new in zip(before, blocks, strict=True)]
    assert moved == pytest.approx([0.25, 0.5, 1.0], rel=1e-4)
    assert {group["lr"] for group in optimizer.param_groups} == {schedule["scheduler"].get_last_lr()[0]}
    model.lr = 0.4
    assert model.lr == 0.4 and model.build_optimizers(10)[0][0].param_groups[-1]["initial_lr"] == 0.4
    with pytest.raises(ValueError, match="layer_decay must be above 0 and at most 1, but is 0"):
        build(layer_decay=0)


def test_without_the_settings_the_optimizer_gets_what_it_got():
    model = build()
    assert model.frozen_tensors() == {} and model.train().backbone.training
    assert [*model.build_optimizers(1).param_groups[0]["params"]] == [*model.parameters()]


def trained(folder, callbacks=(), epochs=1, ckpt_path=None, **kwargs):
    """A module after some batches of digits, and the checkpoint of its last epoch."""
    kept = ModelCheckpoint(folder, "{epoch}", every_n_epochs=1, save_top_k=-1)
    trainer = make_trainer(folder, epochs, callbacks=[*callbacks, kept], limit_train_batches=2, limit_val_batches=1)
    model = build(pretrained=str(kwargs.pop("weights")), **kwargs)
    trainer.fit(model, digits(), ckpt_path=ckpt_path)
    return model, folder / f"epoch={epochs - 1}.ckpt"


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return save_weights(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def partial_run(weights, tmp_path_factory):
    """Two epochs whose checkpoints hold what was trained."""
    folder = tmp_path_factory.mktemp("partial")
    return trained(folder, weights=weights, epochs=2, tuning=LoRA(rank=2, dropout=0.2), checkpoint_parts="trained")


def test_a_checkpoint_of_trained_parts_is_small_and_brings_all_back(partial_run, weights):
    model, file = partial_run
    state = torch.load(file, weights_only=True)["state_dict"]
    frozen = model.frozen_tensors()
    assert frozen and not frozen.keys() & state.keys() and frozen.keys() | state.keys() == model.state_dict().keys()
    again = Classifier.load_from_checkpoint(
        file, backbone=TinyViT(), pretrained=str(weights), tuning=LoRA(rank=2), weights_only=True
    )
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in again.state_dict().items())


def test_a_checkpoint_of_trained_parts_refuses_other_weights(partial_run, tmp_path):
    other = save_weights(tmp_path, seed=4)
    with pytest.raises(UserError, match="holds only what was trained, and the rest of its backbone had other weights"):
        Classifier.load_from_checkpoint(
            partial_run[1], backbone=TinyViT(), pretrained=str(other), tuning=LoRA(rank=2), weights_only=True
        )


def test_a_run_that_goes_on_is_the_run_in_one_go(partial_run, weights, tmp_path):
    whole, _ = partial_run
    settings = {"weights": weights, "tuning": LoRA(rank=2, dropout=0.2), "checkpoint_parts": "trained"}
    first = partial_run[1].with_name("epoch=0.ckpt")
    resumed, _ = trained(tmp_path, epochs=2, ckpt_path=first, **settings)
    assert all(torch.equal(value, whole.state_dict()[name]) for name, value in resumed.state_dict().items())


@pytest.mark.parametrize(
    "average",
    [EMAWeightAveraging(decay=0.9), StochasticWeightAveraging(0.05, swa_epoch_start=1)],
    ids=["EMA", "SWA"],
)
def test_averages_leave_frozen_weights_as_they_are(average, weights, tmp_path):
    settings = {"weights": weights, "tuning": LoRA(rank=2), "checkpoint_parts": "trained"}
    model, file = trained(tmp_path, [average, LinearWarmup()], epochs=3, layer_decay=0.8, **settings)
    untrained = build(pretrained=str(weights), tuning=LoRA(rank=2)).state_dict()
    assert all(torch.equal(value, untrained[name]) for name, value in model.frozen_tensors().items())
    checkpoint = torch.load(file, weights_only=True)
    assert not checkpoint["state_dict"].keys() & model.frozen_tensors().keys()
    assert not checkpoint.get("current_model_state", {}).keys() & model.frozen_tensors().keys()


@pytest.mark.parametrize("parts", ["all", "trained"])
def test_a_second_stage_sees_the_features_of_the_first(parts, weights, tmp_path):
    settings = {"tuning": LoRA(rank=2), "checkpoint_parts": parts}
    first, file = trained(tmp_path / "first", weights=weights, **settings)
    later = {"backbone_ckpt": str(file), "weights": weights, **settings}
    second, head = trained(tmp_path / "second", kind=FrozenHead, cache_views=1, **later)
    image = torch.randn(3, 3, 32, 32)
    assert torch.equal(second.eval().backbone(image), first.eval().backbone(image))
    assert [*second.build_optimizers(1).param_groups[0]["params"]] == [*second.head.parameters()]
    held = torch.load(head, weights_only=True)["state_dict"]
    assert any("lora" in name for name in held)  # which no file of pretrained weights has
    assert any("base_layer" in name for name in held) == (parts == "all")


def test_a_classifier_alone_leaves_its_whole_backbone_out(weights, tmp_path):
    model, file = trained(tmp_path, weights=weights, kind=FrozenHead, checkpoint_parts="trained")
    state = torch.load(file, weights_only=True)["state_dict"]
    assert not any(name.startswith("backbone.") for name in state) and "head.weight" in state
    assert model.about_trained() == []


def test_checkpoints_that_could_not_be_used_are_refused(weights):
    data = digits()
    with pytest.raises(UserError, match="checkpoint_parts is trained, but the whole backbone is"):
        build(pretrained=str(weights), checkpoint_parts="trained").check(data)
    with pytest.raises(UserError, match="the random weights that this run begins with: give model.pretrained"):
        build(tuning=BitFit(), checkpoint_parts="trained").check(data)


def test_a_frozen_network_of_random_weights_is_warned_of(weights):
    for backbone, warned in (("test_resnet", True), ("vit", False)):
        model = build(backbone=backbone, tuning=BitFit())
        model.trainer = SimpleNamespace(world_size=1, ckpt_path=None)
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            PartlyTrained.on_fit_start(model)
        assert any("random weights: give it others" in str(each.message) for each in found) == warned


def test_a_new_attention_pooling_is_trained():
    model = build(backbone="test_vit", pooling="map", tuning=BitFit())
    assert all(value.requires_grad for value in model.backbone.attn_pool.parameters())
    assert "attention pooling" in model.about_trained()[0]
    assert isinstance(model.backbone.attn_pool, nn.Module)
