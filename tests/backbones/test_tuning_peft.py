"""Adapters beside the layers of a frozen network: how many numbers, at first without effect, merged without loss."""

import sys

import pytest
import timm
import torch
from tiny_vit import DEPTH, INPUTS, OUTPUTS, TinyViT
from torch import nn

from lightning_imbal.backbones.tuning import BitFit
from lightning_imbal.backbones.tuning_peft import IA3, LoRA, merged
from lightning_imbal.errors import UserError

SIDES = {"test_vit": 160, "test_resnet": 32, "test_efficientnet": 32, "test_convnext": 32}


def network(name):
    torch.manual_seed(0)
    backbone = timm.create_model(name, num_classes=0).eval().requires_grad_(False)
    for gamma in (value for key, value in backbone.named_parameters() if key.endswith("gamma")):
        gamma.fill_(0.5)  # of ConvNeXt, whose blocks begin with next to no effect
    return backbone


def learned(backbone):
    """How many numbers learn."""
    return sum(value.numel() for value in backbone.parameters() if value.requires_grad)


def test_lora_learns_rank_times_in_plus_out_numbers_a_layer():
    backbone = TinyViT().requires_grad_(False)
    assert LoRA(rank=3)(backbone) == "LoRA of rank 3 in 8 layers"
    assert learned(backbone) == DEPTH * sum(3 * (INPUTS[name] + OUTPUTS[name]) for name in INPUTS)


def test_a_convolution_of_3_pixels_has_9_times_the_inputs():
    backbone = network("resnet18")
    assert LoRA(rank=2, layers=["layer4.1.conv2"])(backbone) == "LoRA of rank 2 in 1 layer"
    assert learned(backbone) == 2 * (9 * 512 + 512)


def test_ia3_learns_a_factor_of_each_output_and_of_the_inputs_of_fc2():
    backbone = TinyViT().requires_grad_(False)
    IA3()(backbone)
    assert learned(backbone) == DEPTH * (OUTPUTS["attn.qkv"] + INPUTS["mlp.fc2"])


@pytest.mark.parametrize("tuning", [LoRA(rank=4, dropout=0.5), IA3(), BitFit()], ids=["LoRA", "IA3", "BitFit"])
@pytest.mark.parametrize("name", SIDES)
def test_at_first_without_effect_and_merged_without_loss(name, tuning):
    image = torch.randn(2, 3, SIDES[name], SIDES[name])
    before = {key: value.clone() for key, value in network(name).state_dict().items()}
    backbone = network(name)
    plain = backbone(image)
    tuning(backbone)
    assert torch.equal(backbone.eval()(image), plain)
    with torch.no_grad():
        for value in filter(lambda value: value.requires_grad, backbone.parameters()):
            value.add_(0.02 * torch.randn_like(value))
    one = merged(backbone)
    difference = (one(image) - backbone(image)).abs().max().item()
    print(f"{name} {type(tuning).__name__}: merged and unmerged differ by {difference:.1e}")
    assert difference < 1e-5
    assert (backbone(image) - plain).abs().max() > 100 * max(difference, 1e-7)
    assert one.state_dict().keys() == before.keys()  # nothing is left of the adapters
    frozen = {key.replace(".base_layer", ""): value for key, value in backbone.named_parameters()}
    assert all(torch.equal(value, before[key]) for key, value in frozen.items() if not value.requires_grad)


def test_a_network_without_adapters_is_merged_already():
    backbone = network("test_resnet")
    assert merged(backbone) is backbone


def test_a_layer_whose_weights_are_taken_without_a_call_is_left_alone():
    small = {"depth": 1, "img_size": 28, "num_classes": 0}
    backbone = timm.create_model("eva02_tiny_patch14_224", **small, qkv_fused=True).requires_grad_(False)
    LoRA(rank=1)(backbone)
    backbone(torch.randn(2, 3, 28, 28)).sum().backward()
    adapters = {name: value for name, value in backbone.named_parameters() if value.requires_grad}
    assert adapters and all(value.grad is not None for value in adapters.values())
    assert not any("qkv" in name for name in adapters)
    with pytest.raises(UserError, match="no linear layer named qkv in eva02_tiny_patch14_224"):
        LoRA(layers=["qkv"])(timm.create_model("eva02_tiny_patch14_224", **small, qkv_fused=True))


def test_layers_that_are_not_there_are_one_sentence():
    with pytest.raises(
        UserError, match=r"named attn in test_vit .*model.tuning.layers, such as \[proj, qkv, fc1, fc2\]"
    ):
        LoRA(layers=["attn", "qkv"])(network("test_vit"))
    with pytest.raises(UserError, match="LoRA finds no linear layer or 1 x 1 convolution in Conv2d"):
        LoRA()(nn.Sequential(nn.Conv2d(3, 3, 3, groups=3))[0])


def test_standardised_weights_are_left_alone():
    backbone = network("nf_resnet26")
    with pytest.raises(UserError, match="finds no linear layer or 1 x 1 convolution in nf_resnet26"):
        LoRA()(backbone)


@pytest.mark.parametrize("wrong", [{"rank": 0}, {"alpha": 0.0}, {"dropout": 1.0}])
def test_numbers_that_mean_nothing_are_refused(wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} must be"):
        LoRA(**wrong)


def test_without_the_library_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(UserError, match=r"model.tuning needs peft: pip install 'lightning_imbal\[lora\]'"):
        LoRA()(TinyViT())


def test_gradients_are_the_same_where_activations_are_computed_again():
    gradients = []
    for again in (False, True):
        torch.manual_seed(0)
        backbone = TinyViT().requires_grad_(False)
        LoRA(rank=2)(backbone)
        backbone.set_grad_checkpointing(again)
        backbone(torch.ones(2, 3, 32, 32)).square().sum().backward()
        gradients.append({name: value.grad for name, value in backbone.named_parameters() if value.requires_grad})
    assert all(torch.equal(gradients[0][name], gradients[1][name]) for name in gradients[0])
    assert any(value.abs().sum() > 0 for value in gradients[0].values())
