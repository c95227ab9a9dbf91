"""Backbones with local and with fetched weights."""

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import nn

from lightning_imbal.backbones import create_backbone
from lightning_imbal.backbones.create import feature_size
from lightning_imbal.errors import UserError


def test_local_weights_are_loaded(tmp_path):
    wanted = timm.create_model("test_resnet", num_classes=7)  # a file may hold a classifier, which is left out
    save_file(wanted.state_dict(), tmp_path / "weights.safetensors")
    loaded = create_backbone("test_resnet", str(tmp_path / "weights.safetensors"))
    assert torch.equal(loaded.conv1[0].weight, wanted.conv1[0].weight)


def test_weights_of_another_network_are_refused(tmp_path):
    save_file(timm.create_model("test_convnext").state_dict(), tmp_path / "weights.safetensors")
    with pytest.raises(UserError, match="do not fit test_resnet"):
        create_backbone("test_resnet", str(tmp_path / "weights.safetensors"))


class Own(nn.Module):
    """A network that is not timm's."""

    def __init__(self, num_features=2):
        super().__init__()
        self.num_features, self.layer = num_features, nn.Conv2d(3, 2, 1)

    def forward(self, image):
        return self.layer(image).mean(dim=(2, 3))


def test_a_network_of_ones_own_with_and_without_a_file(tmp_path):
    wanted = Own()
    save_file(wanted.state_dict(), tmp_path / "own.safetensors")
    network = Own()
    assert create_backbone(network) is network and feature_size(network) == 2
    assert torch.equal(create_backbone(network, str(tmp_path / "own.safetensors")).layer.weight, wanted.layer.weight)


@pytest.mark.parametrize(
    ("network", "pretrained", "sentence"),
    [
        (Own(), True, "no weights of Own to fetch"),
        (Own(num_features=None), False, "Own does not tell how many features it gives: set its attribute num_features"),
        (nn.Identity(), False, "Identity does not tell"),
        ("my_net.SmallNet", False, "own is given as model.backbone.class_path=my_net.SmallNet"),
    ],
)
def test_what_is_no_backbone_is_refused(network, pretrained, sentence):
    with pytest.raises(UserError, match=sentence):
        create_backbone(network, pretrained)


def test_a_failed_fetch_names_the_local_option(monkeypatch):
    def fail(*args, **kwargs):
        raise OSError("no network")

    monkeypatch.setattr("lightning_imbal.backbones.create.can_fetch", lambda name: True)
    monkeypatch.setattr(timm, "create_model", fail)
    with pytest.raises(UserError, match="model.pretrained=path"):
        create_backbone("resnet50", pretrained=True)
