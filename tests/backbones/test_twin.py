"""The two last blocks of a backbone, against two networks that have one each."""

import copy

import pytest
import torch
from bbn_oracles import AS_BBN, random_images, shake
from small_runs import refused

from lightning_imbal.backbones import create_backbone, twin_last_block
from lightning_imbal.errors import UserError

LAST_BLOCKS = {
    "test_resnet": "layer4.0",
    "test_convnext": "stages.3.blocks.1",
    "resnet50": "layer4.2",
    "resnet18": "layer4.1",
    "mobilenetv2_100": "blocks.6.0",
    "resnext50_32x4d": "layer4.2",
    "resnetv2_50x1_bit": "stages.3.blocks.2",
    "regnety_032": "s4.b1",
    "regnetx_002": "s4.b7",
    "efficientnet_b0": "blocks.6.0",
    "vit_tiny_patch16_224": "blocks.11",
    "darknet17": "stages.4.blocks.0",
    "focalnet_tiny_srf": "layers.3.blocks.1",
    "pvt_v2_b0": "stages.3",
}
# One of the others, which is smaller, has blocks of the same kind.
SLOW = ("resnet50", "resnext50_32x4d", "regnety_032", "efficientnet_b0")
CASES = [
    pytest.param(*case, id=case[0], marks=pytest.mark.slow if case[0] in SLOW else []) for case in LAST_BLOCKS.items()
]


class TestTwinBlock:
    @pytest.mark.parametrize(("name", "place"), CASES)
    def test_last_block_is_there_twice(self, name, place):
        torch.manual_seed(0)
        backbone = create_backbone(name)
        image = random_images(2, 3, *[224 if name.startswith(("vit", "pvt")) else 64] * 2)
        with torch.no_grad():
            expected, block = backbone.eval()(image), backbone.get_submodule(place)
            twin = twin_last_block(backbone)
            assert backbone.get_submodule(place) is twin and twin.blocks[0] is block
            torch.testing.assert_close(backbone(image), torch.cat([expected, expected]), rtol=1e-4, atol=1e-5)
            shake(twin.blocks[1])
            twin.branch = 0
            torch.testing.assert_close(backbone(image), expected)
            twin.branch = 1
            other = backbone(image)
            assert (other - expected).abs().max() > 1e-3
            twin.branch = None
            torch.testing.assert_close(backbone(image), torch.cat([expected, other]), rtol=1e-4, atol=1e-5)

    @pytest.mark.parametrize("mode", [True, False])
    def test_trying_it_leaves_no_trace(self, mode):
        backbone = create_backbone("test_resnet").train(mode)
        before = copy.deepcopy(backbone.state_dict())
        twin_last_block(backbone)
        assert all(module.training == mode for module in backbone.modules())
        after = backbone.state_dict()
        assert all(torch.equal(after[name], before[name]) for name in before.keys() & after.keys())

    @pytest.mark.parametrize("name", ["densenet121", "pit_ti_224", "twins_svt_small", "hrnet_w18_small"])
    def test_network_without_such_a_block_is_refused(self, name):
        with pytest.raises(UserError, match=f"^{name} has no last block .*another backbone, such as a ResNet.*ViT.$"):
            twin_last_block(create_backbone(name))

    def test_a_network_of_ones_own_has_no_stages(self):
        with pytest.raises(UserError, match="^Identity has no last block"):
            twin_last_block(torch.nn.Identity())

    def test_refused_by_the_command_line_in_one_sentence(self, capsys):
        sentence = refused(capsys, "fit", *AS_BBN, "--model.backbone", "densenet121")
        assert sentence.count("densenet121 has no last block") == 1
