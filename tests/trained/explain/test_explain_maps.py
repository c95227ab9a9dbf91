"""Maps of where a network looks: found by hand-set weights, by slow oracles, and in networks of every layout."""

import cv2
import numpy as np
import pytest
import timm
import torch
from timm.models.swin_transformer import SwinTransformer
from timm.models.vision_transformer import VisionTransformer
from torch import nn

from lightning_imbal.errors import UserError
from lightning_imbal.modules import BBN
from lightning_imbal.trained.explain.layers import inputs_of, last_feature_map, outputs_of
from lightning_imbal.trained.explain.maps import attention_rollout

pytest.importorskip("pytorch_grad_cam", reason="grad-cam is not installed: pip install 'lightning_imbal[explain]'")
from lightning_imbal.trained.explain.maps import grad_cam


class Colours(nn.Module):
    """Class 0 is red, class 1 is blue, class 2 the lack of both, wherever they are; the weights are set by hand."""

    num_features = 2

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 4, stride=4, bias=False)
        self.features = nn.Sequential(self.conv, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head = nn.Linear(2, 3, bias=False)
        with torch.no_grad():
            self.conv.weight.zero_()
            self.conv.weight[0, 0] = self.conv.weight[1, 2] = 1 / 16
            self.head.weight.copy_(torch.tensor([[1.0, 0], [0, 1], [-1, -1]]))

    def forward(self, image):
        return self.head(self.features(image))


def patches():
    """A red patch at the top left, a blue one at the bottom right, on black."""
    image = torch.zeros(1, 3, 32, 32)
    image[0, 0, 4:12, 4:12] = 1
    image[0, 2, 20:28, 20:28] = 1
    return image


def class_map(network, image, label):
    place = last_feature_map(network.features, image)
    return grad_cam(network.eval(), place, image, torch.tensor([label] * len(image)))


def share(found, top, left):
    """How much of a map lies in a quadrant."""
    return found[16 * (not top) :, 16 * (not left) :][:16, :16].sum() / found.sum()


def scaled(found, size, again=True):
    """As the package scales: before it enlarges, which takes some of the range away, and in Grad-CAM after it too."""
    found = (found - found.min()) / (found.max() - found.min())
    large = cv2.resize(found.astype(np.float32), size)
    return (large - large.min()) / (large.max() - large.min()) if again else large


def test_mass_lies_where_what_decides_the_class_is():
    network, image = Colours(), patches()
    assert share(class_map(network, image, 0)[0], top=True, left=True) > 0.99
    assert share(class_map(network, image, 1)[0], top=False, left=False) > 0.99


def test_map_is_that_of_the_equation():
    network, image = Colours(), patches()
    red = image[0, 0].unfold(0, 4, 4).unfold(1, 4, 4).mean(dim=(2, 3)).numpy()  # what the first channel sees
    found = class_map(network, image, 0)[0]
    assert found == pytest.approx(scaled(red, (32, 32)), abs=1e-4)  # cv2 rounds
    assert found.max() == pytest.approx(1, abs=1e-4) and found.min() == 0


def test_nothing_stands_out_for_a_class_that_nothing_speaks_for():
    assert not class_map(Colours(), patches(), 2).any()


def test_random_weights_give_another_map():
    """The sanity check of Adebayo et al. 2018: a map that stays the same has not looked at the network."""
    torch.manual_seed(0)
    image = patches()
    image[0, 1] = torch.rand(32, 32)  # green, which the network was made not to see
    trained, alike = class_map(Colours(), image, 0)[0], []
    for _ in range(8):
        network = Colours()
        for layer in (network.conv, network.head):
            layer.reset_parameters()
        found = class_map(network, image, 0)[0]
        alike.append(np.corrcoef(found.ravel(), trained.ravel())[0, 1] if found.any() else 0)
    assert share(trained, top=True, left=True) > 0.99 and np.mean(alike) < 0.3


def test_frozen_network_has_maps_too_and_keeps_nothing():
    network, image = Colours(), patches()
    expected = class_map(network, image, 0)
    assert (class_map(network.requires_grad_(False), image, 0) == expected).all()
    assert not any(module._forward_hooks for module in network.modules())


def test_each_image_has_the_map_of_its_own_class():
    network, image = Colours(), patches().expand(2, -1, -1, -1)
    place = last_feature_map(network.features, image)
    found = grad_cam(network.eval(), place, image, torch.tensor([0, 1]))
    assert found[0] == pytest.approx(class_map(network, image[:1], 0)[0])
    assert found[1] == pytest.approx(class_map(network, image[:1], 1)[0])


def swin():
    return SwinTransformer(
        img_size=64, window_size=2, embed_dim=16, depths=(1, 1, 1), num_heads=(1, 1, 1), num_classes=0
    )


NETWORKS = {
    "resnet": (lambda: timm.create_model("test_resnet", num_classes=0), 64, (4, 4)),
    "its last map is too small": (lambda: timm.create_model("test_resnet", num_classes=0), 32, (4, 4)),
    "convnext": (lambda: timm.create_model("test_convnext", num_classes=0), 128, (4, 4)),
    "efficientnet": (lambda: timm.create_model("test_efficientnet", num_classes=0), 64, (4, 4)),
    "channels last": (swin, 64, (4, 4)),
    "class token": (lambda: timm.create_model("test_vit", img_size=64, num_classes=0), 64, (4, 4)),
    "registers": (lambda: timm.create_model("test_vit", img_size=64, reg_tokens=3, num_classes=0), 64, (4, 4)),
    "mean of patches": (lambda: timm.create_model("test_vit3", img_size=64, num_classes=0), 64, (4, 4)),
    "own": (lambda: Colours().features, 32, (8, 8)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_layers_are_found_in_networks_of_every_layout(name):
    build, side, cells = NETWORKS[name]
    torch.manual_seed(0)
    network, image = build().eval(), torch.rand(2, 3, side, side)
    place = last_feature_map(network, image)
    assert place.cells == cells
    outputs = outputs_of(network, [place.layer], image)[place.layer]
    maps = place.as_maps(outputs)
    assert maps.shape[0] == 2 and maps.shape[2:] == cells and maps.shape[1] not in cells
    found = grad_cam(network, place, image, torch.tensor([0, 1]))
    assert found.shape == (2, side, side) and found.min() >= 0 and found.max() <= 1 and found.any()


def test_tokens_lie_where_their_patches_are():
    network = VisionTransformer(img_size=(32, 48), patch_size=16, embed_dim=6, depth=2, num_heads=1, reg_tokens=2)
    place = last_feature_map(network.eval(), torch.zeros(1, 3, 32, 48))
    assert place.cells == (2, 3)
    tokens = torch.arange(-3.0, 6)[None, :, None].expand(1, 9, 6)  # those of no patch are negative
    assert place.as_maps(tokens)[0, 0].tolist() == [[0, 1, 2], [3, 4, 5]]


def test_both_branches_of_a_twin_speak_for_an_image():
    torch.manual_seed(0)
    network = BBN(class_counts=[5, 3], class_names=["a", "b"], backbone="test_resnet").eval()
    image = torch.rand(3, 3, 128, 128)
    place, label = last_feature_map(network.backbone, image[:1]), torch.tensor([0, 1, 0])
    found = grad_cam(network, place, image, label)
    kept = {}
    hook = place.layer.register_forward_hook(lambda module, inputs, outputs: kept.update(maps=outputs))
    logits = network(image)
    hook.remove()
    [gradient] = torch.autograd.grad(logits[range(3), label].sum(), kept["maps"])
    assert len(kept["maps"]) == 6
    for number in range(3):
        cam = sum(
            (gradient[each].mean(dim=(1, 2), keepdim=True) * kept["maps"][each]).sum(dim=0)
            for each in (number, 3 + number)
        )
        cam = cam.clamp(min=0).detach().numpy()
        assert found[number] == pytest.approx(scaled(cam, (128, 128)) if cam.any() else 0 * found[number], abs=1e-4)


def test_network_without_a_map_is_refused():
    network = nn.Sequential(nn.Flatten(), nn.Linear(12, 2))
    with pytest.raises(UserError, match="no map of features of more than one cell for images of 2 x 2 pixels"):
        last_feature_map(network, torch.zeros(1, 3, 2, 2))


def test_what_a_layer_gets_is_kept_while_it_is_watched():
    network = Colours()
    with inputs_of(network.head) as features:
        network(patches())
    network(patches())
    assert [each.shape for each in features] == [(1, 2)]


def slow_rollout(network, image, row):
    """Attention rollout of one image by loops, from the weights of the blocks alone."""
    x, rolled = network._pos_embed(network.patch_embed(image)), None
    for block in network.blocks:
        attn, tokens = block.attn, block.norm1(x)[0]
        weight = attn.qkv.weight.view(3, attn.num_heads, attn.head_dim, -1)
        bias = attn.qkv.bias.view(3, attn.num_heads, attn.head_dim)
        number, mean = len(tokens), torch.zeros(len(tokens), len(tokens))
        for head in range(attn.num_heads):
            for i in range(number):
                query = weight[0, head] @ tokens[i] + bias[0, head]
                keys = [weight[1, head] @ tokens[j] + bias[1, head] for j in range(number)]
                logits = torch.stack([query @ key / attn.head_dim**0.5 for key in keys])
                mean[i] += logits.softmax(dim=0) / attn.num_heads
        step = 0.5 * mean + 0.5 * torch.eye(number)
        rolled = step if rolled is None else step @ rolled
        x = block(x)
    return row(rolled).detach().numpy()


@pytest.mark.parametrize("pool", ["token", "avg"])
def test_rollout_is_that_of_the_equation(pool):
    torch.manual_seed(0)
    shape = {"img_size": 16, "patch_size": 4, "embed_dim": 8, "depth": 3, "num_heads": 2, "reg_tokens": 2}
    network = VisionTransformer(**shape, global_pool=pool, num_classes=3).eval()
    for parameter in network.parameters():
        nn.init.normal_(parameter)  # else all attention is nearly even
    image = torch.rand(2, 3, 16, 16)
    before = [block.attn.fused_attn for block in network.blocks]
    found, cells = attention_rollout(network, network, image)
    assert cells == (4, 4)
    for number in range(2):
        row = (lambda rolled: rolled[0]) if pool == "token" else (lambda rolled: rolled[3:].mean(dim=0))
        expected = slow_rollout(network, image[number : number + 1], row)[3:].reshape(4, 4)
        assert found[number] == pytest.approx(scaled(expected, (16, 16), again=False), abs=1e-4)
    assert [block.attn.fused_attn for block in network.blocks] == before
    assert not any(block.attn.attn_drop._forward_pre_hooks for block in network.blocks)


def test_rollout_is_for_transformers():
    with pytest.raises(UserError, match="Colours is none: take --explain gradcam"):
        attention_rollout(Colours(), Colours(), patches())
