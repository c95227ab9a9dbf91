"""Image sizes of networks that are built for one, pooling, and activations that are computed again."""

import pytest
import torch
from made_networks import SWIN, VIT, network

from lightning_imbal.backbones import create_backbone
from lightning_imbal.backbones.sizes import built_size
from lightning_imbal.backbones.trial import check_size, evaluating
from lightning_imbal.errors import UserError


@pytest.fixture
def name(tmp_path):
    network(tmp_path / "net")
    return f"local-dir:{tmp_path / 'net'}"


def test_a_vit_is_built_for_the_size_of_the_pictures(name):
    backbone = create_backbone(name, image_size=48)
    assert backbone(torch.rand(2, 3, 48, 48)).shape == (2, 32) and built_size(backbone) == (48, 48)
    assert built_size(create_backbone(name)) == (32, 32)
    backbone.forward = None
    check_size(backbone, 48, 2)  # for which it was tried when it was built
    with pytest.raises(UserError, match="cannot take one picture"):
        check_size(backbone, 48, 1)
    del backbone.forward
    with pytest.raises(UserError, match="cannot take pictures of 32 x 32 pixels"):
        check_size(backbone, 32, 2)


def test_each_layer_comes_back_in_its_own_mode():
    network = torch.nn.Sequential(torch.nn.BatchNorm2d(3), torch.nn.BatchNorm2d(3))
    network[0].eval()
    with evaluating(network):
        assert not any(layer.training for layer in network.modules())
    assert [layer.training for layer in network.modules()] == [True, False, True]


def test_a_vit_of_any_size_stays_one(tmp_path):
    any_size = {"patch_size": 8, "embed_dim": 32, "depth": 1, "num_heads": 2, "dynamic_img_size": True}
    network(tmp_path / "net", arguments=any_size)
    backbone = create_backbone(f"local-dir:{tmp_path / 'net'}", image_size=64)
    assert backbone(torch.rand(2, 3, 64, 64)).shape == backbone(torch.rand(2, 3, 40, 40)).shape == (2, 32)


def test_a_swin_takes_what_its_patches_divide(tmp_path):
    network(tmp_path / "net", "swin_tiny_patch4_window7_224", SWIN)
    backbone = create_backbone(f"local-dir:{tmp_path / 'net'}", True, image_size=52)
    assert backbone(torch.rand(2, 3, 52, 52)).shape == (2, 32)
    with pytest.raises(
        UserError, match="cannot take pictures of 50 x 50 .*the nearest sizes that it takes are 48 and 52"
    ):
        create_backbone(f"local-dir:{tmp_path / 'net'}", image_size=50)
    with pytest.raises(UserError, match="has no attention pooling"):  # which is not for its size
        create_backbone(f"local-dir:{tmp_path / 'net'}", image_size=52, pooling="map")


def test_pixels_that_no_patch_holds_are_not_left_out(name):
    with pytest.raises(UserError, match="of 50 x 50 pixels .its patches have 8 x 8.: .* takes are 48 and 56 .data"):
        create_backbone(name, image_size=50)
    with pytest.raises(UserError, match="of 5 x 5 pixels .*the nearest size that it takes is 8 "):
        create_backbone(name, image_size=5)


def test_a_network_without_a_size_is_what_it_was():
    torch.manual_seed(0)
    plain = create_backbone("test_convnext").state_dict()
    torch.manual_seed(0)
    sized = create_backbone("test_convnext", image_size=96).state_dict()
    assert all(torch.equal(value, sized[key]) for key, value in plain.items())


def test_each_pooling_is_of_the_normalised_tokens(name):
    networks = {each: create_backbone(name, True, pooling=each).eval() for each in (None, "token", "avg")}
    image = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        tokens = networks[None].forward_features(image)
        torch.testing.assert_close(networks[None](image), tokens[:, 0])
        torch.testing.assert_close(networks["token"](image), tokens[:, 0])
        torch.testing.assert_close(networks["avg"](image), tokens[:, 1:].mean(1))
        assert create_backbone(name, pooling="map").eval()(image).shape == (2, 32)


@pytest.mark.parametrize(
    ("network", "pooling", "sentence"),
    [
        ("test_resnet", "token", "test_resnet has no class token"),
        ("test_convnext", "token", "test_convnext has no class token"),
        ("test_convnext", "map", "test_convnext has no attention pooling"),
        ("test_resnet", "map", "test_resnet has no attention pooling"),
        (torch.nn.Identity(), "avg", "Identity has no mean pooling"),
    ],
)
def test_pooling_that_a_network_has_not_is_refused(network, pooling, sentence):
    if isinstance(network, torch.nn.Module):
        network.num_features = 3
    with pytest.raises(UserError, match=sentence):
        create_backbone(network, pooling=pooling)


def test_activations_computed_again_give_the_same_gradients(name):
    def gradients(checkpointing):
        backbone = create_backbone(name, True, grad_checkpointing=checkpointing)
        assert backbone.grad_checkpointing == checkpointing
        torch.manual_seed(0)
        backbone(torch.rand(2, 3, 32, 32)).square().sum().backward()
        return [parameter.grad for parameter in backbone.parameters()]

    pairs = list(zip(gradients(True), gradients(False), strict=True))
    assert pairs and all(torch.equal(one, other) for one, other in pairs)


def test_a_network_that_keeps_its_activations_is_refused():
    network = torch.nn.Identity()
    network.num_features = 3
    with pytest.raises(UserError, match="Identity cannot compute activations again: leave model.grad_checkpointing"):
        create_backbone(network, grad_checkpointing=True)


def test_a_vit_without_a_class_token_has_none_to_pool(tmp_path):
    network(tmp_path / "net", arguments={**VIT, "class_token": False, "global_pool": "avg"})
    name = f"local-dir:{tmp_path / 'net'}"
    assert create_backbone(name, True).eval()(torch.rand(2, 3, 32, 32)).shape == (2, 32)
    with pytest.raises(UserError, match="has no class token"):
        create_backbone(name, pooling="token")
