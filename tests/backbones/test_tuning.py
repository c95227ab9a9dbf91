"""Biases, last blocks, normalisation: which parts of a network learn, and at which share of the rate."""

import re

import pytest
import timm
from timm.optim import param_groups_layer_decay
from torch import nn

from lightning_imbal.backbones.tuning import BitFit
from lightning_imbal.backbones.tuning_blocks import frozen_tensors, keeps_statistics, layer_rates, unfreeze_parts
from lightning_imbal.errors import UserError

FAMILIES = ["test_vit", "test_resnet", "test_efficientnet", "test_convnext", "densenet121"]


def network(name="test_vit", **kwargs):
    return timm.create_model(name, num_classes=0, **kwargs).requires_grad_(False)


def learns(backbone):
    return {name for name, value in backbone.named_parameters() if value.requires_grad}


def beginnings(names, parts=2):
    return {".".join(name.split(".")[:parts]) for name in names}


def test_biases_alone_learn():
    backbone = network("test_resnet")
    assert BitFit()(backbone) == "15 biases"
    assert learns(backbone) == {name for name, _ in backbone.named_parameters() if name.endswith(".bias")}


def test_a_network_without_biases_is_refused():
    with pytest.raises(UserError, match="Conv2d has none: choose another model.tuning"):
        BitFit()(nn.Conv2d(1, 1, 1, bias=False))


@pytest.mark.parametrize(
    ("name", "parts", "said", "expected"),
    [
        ("test_vit", "last_block", "the last block", {"blocks.5", "norm.weight", "norm.bias"}),
        ("test_vit", 2, "the last 2 blocks", {"blocks.4", "blocks.5", "norm.weight", "norm.bias"}),
        ("resnet18", "last_block", "the last block", {"layer4.1"}),
        ("resnet18", "last_stage", "the last stage", {"layer4.0", "layer4.1"}),
        # What follows the last block belongs to it, also where timm counts it apart.
        ("test_convnext", "last_stage", "the last stage", {"stages.3", "head.norm"}),
    ],
)
def test_the_end_of_a_network_learns(name, parts, said, expected):
    backbone = network(name)
    assert unfreeze_parts(backbone, parts) == said
    assert beginnings(learns(backbone)) == expected


def test_a_last_block_has_weights():
    backbone = network("densenet121")
    unfreeze_parts(backbone, "last_block")
    assert "features.denseblock4.denselayer16.conv2.weight" in learns(backbone)
    assert "features.denseblock4.denselayer15.conv2.weight" not in learns(backbone)


def test_normalisation_alone_learns():
    backbone = network()
    assert unfreeze_parts(backbone, "norms") == "13 normalisation layers"
    assert all(re.search(r"norm\d?\.(weight|bias)$", name) for name in learns(backbone))
    assert len(learns(backbone)) == 26


@pytest.mark.parametrize(
    ("parts", "kind", "match"),
    [(8, UserError, "has 7 blocks, of which 8 cannot be trained"), (0, ValueError, "at least 1 block, but is 0")],
)
def test_numbers_of_blocks_that_are_refused(parts, kind, match):
    with pytest.raises(kind, match=match):
        unfreeze_parts(network(), parts)


def test_a_network_that_does_not_tell_its_blocks_is_refused():
    for call in (lambda: unfreeze_parts(nn.Linear(2, 2), "last_block"), lambda: layer_rates(nn.Linear(2, 2), 0.5)):
        with pytest.raises(UserError, match=r"Linear does not tell what its blocks are \(group_matcher"):
            call()
    with pytest.raises(UserError, match="no normalisation layers to unfreeze"):
        unfreeze_parts(nn.Linear(2, 2), "norms")


@pytest.mark.parametrize("name", FAMILIES)
def test_rates_are_those_of_timm(name):
    whole = timm.create_model(name, num_classes=5)
    groups = param_groups_layer_decay(whole, layer_decay=0.7)
    names = {value: key for key, value in whole.named_parameters()}
    expected = {names[value]: group["lr_scale"] for group in groups for value in group["params"]}
    backbone = timm.create_model(name, num_classes=0)
    rates = layer_rates(backbone, 0.7)
    found = {key: rates[value] for key, value in backbone.named_parameters()}
    assert found == {key: pytest.approx(expected[key]) for key in found}


def test_rates_by_hand():
    backbone = network()
    rates = {key: layer_rates(backbone, 0.5)[value] for key, value in backbone.named_parameters()}
    assert rates["norm.weight"] == rates["blocks.5.mlp.fc2.weight"] == 0.5
    assert rates["blocks.4.mlp.fc2.weight"] == 0.25
    assert rates["patch_embed.proj.weight"] == rates["cls_token"] == 0.5**7


def test_statistics_are_frozen_with_the_weight():
    backbone = network("test_resnet")
    BitFit()(backbone)
    assert all(keeps_statistics(layer) for layer in backbone.modules() if isinstance(layer, nn.BatchNorm2d))
    frozen = frozen_tensors(backbone)
    assert {"layer1.0.bn1.weight", "layer1.0.bn1.running_mean", "layer1.0.bn1.num_batches_tracked"} <= frozen.keys()
    assert "layer1.0.bn1.bias" not in frozen
    unfreeze_parts(backbone, "norms")
    assert not any(map(keeps_statistics, backbone.modules()))
    assert "layer1.0.bn1.running_mean" not in frozen_tensors(backbone)
    assert keeps_statistics(nn.BatchNorm1d(2, affine=False))
