"""Backbones with local and with fetched weights."""

import pytest
import timm
import torch
from safetensors.torch import save_file

from lightning_imbal.backbones import create_backbone
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


def test_a_failed_fetch_names_the_local_option(monkeypatch):
    def fail(*args, **kwargs):
        raise OSError("no network")

    monkeypatch.setattr(timm, "create_model", fail)
    with pytest.raises(UserError, match="model.pretrained=path"):
        create_backbone("resnet50", pretrained=True)
