"""Files in the layouts of other projects: what is renamed, resized, left out and refused."""

from argparse import Namespace

import pytest
import timm
import torch
from made_networks import VIT, network
from timm.layers import resample_abs_pos_embed

from lightning_imbal.backbones import create_backbone
from lightning_imbal.errors import UserError


@pytest.fixture
def vit(tmp_path):
    """Makes the folder of a tiny ViT, and loads a file of it: of its weights as another project has them."""

    class Vit:
        def __init__(self, **arguments):
            network(tmp_path / "vit", arguments={**VIT, **arguments})
            self.name = f"local-dir:{tmp_path / 'vit'}"
            self.state = create_backbone(self.name, pretrained=True).state_dict()

        def load(self, content, **options):
            torch.save(content, tmp_path / "others.pth")
            return create_backbone(self.name, str(tmp_path / "others.pth"), **options).state_dict()

        def renamed(self, old, new):
            return {
                key.replace(old, new, 1) if key.startswith(old) else key: value for key, value in self.state.items()
            }

    return Vit


def same(loaded, wanted, but=()):
    return loaded.keys() == wanted.keys() and all(
        torch.equal(value, wanted[key]) for key, value in loaded.items() if key not in but
    )


def test_a_folder_is_loaded_with_its_weights(vit, tmp_path):
    own = vit()
    whole = timm.create_model(own.name, pretrained=True).state_dict()
    assert own.state.keys() == whole.keys() - {"head.weight", "head.bias"}
    assert same(own.state, {key: whole[key] for key in own.state})


def test_mae_has_a_decoder_that_is_left_out_and_options(vit, told):
    own = vit()
    decoder = {"mask_token": torch.ones(1), "decoder_pos_embed": torch.ones(1), "decoder_blocks.0.w": torch.ones(1)}
    assert same(own.load({"model": own.state | decoder, "args": Namespace(lr=1.0), "epoch": 3}), own.state)
    assert "also holds 3 tensors" in told.text and "left out: mask_token, decoder_pos_embed" in told.text


def test_the_norm_of_a_fine_tuned_mae_is_that_of_the_mean(vit, told):
    own = vit()
    content = {
        "model": own.renamed("norm.", "fc_norm.") | {"head.weight": torch.ones(5, 32), "head.bias": torch.ones(5)}
    }
    assert same(own.load(content), own.state) and same(own.load(content, pooling="avg"), own.state)
    assert "2 tensors of" in told.text and "under another name: norm.weight, norm.bias" in told.text


def test_positions_are_resampled_to_another_size_as_timm_does(vit, told):
    own = vit()
    loaded = own.load({"module.encoder." + key: value for key, value in own.state.items()}, image_size=64)
    wanted = resample_abs_pos_embed(own.state["pos_embed"], [8, 8], num_prefix_tokens=1)
    torch.testing.assert_close(loaded["pos_embed"], wanted)
    assert same(loaded, own.state, but=["pos_embed"]) and "pos_embed 1x17x32 to 1x65x32" in told.text


def test_patches_of_another_size_are_resampled(vit):
    own = vit()
    weight = "patch_embed.proj.weight"
    loaded = own.load(own.state | {weight: torch.ones(32, 3, 6, 6)})
    assert loaded[weight].shape == (32, 3, 8, 8) and loaded[weight].std() > 0 and same(loaded, own.state, but=[weight])


@pytest.mark.parametrize("channels", [1, 4])
def test_filters_of_other_channels_keep_their_sum_over_grey(vit, channels, told):
    own, weight = vit(), "patch_embed.proj.weight"
    given = torch.rand(32, 1, 8, 8).expand(-1, channels, -1, -1).contiguous()
    loaded = own.load(own.state | {weight: given})
    torch.testing.assert_close(loaded[weight].sum(1), given.sum(1))
    assert loaded[weight].shape[1] == 3 and f"32x{channels}x8x8 to 32x3x8x8" in told.text


def test_dinov2_has_registers_and_scaled_layers(vit):
    own = vit(init_values=1e-5, reg_tokens=4, no_embed_class=True)
    hub = {key: value for key, value in own.state.items() if key != "reg_token"}
    first = torch.rand(1, 1, 32)
    hub |= {"register_tokens": own.state["reg_token"], "mask_token": torch.ones(1, 32)}
    hub["pos_embed"] = torch.cat([first, own.state["pos_embed"]], dim=1)
    for content in (
        hub,
        {"teacher": {f"backbone.{key}": value for key, value in hub.items()} | {"dino_head.w": first}},
    ):
        loaded = own.load(content)
        assert same(loaded, own.state, but=["cls_token"])
        torch.testing.assert_close(loaded["cls_token"], own.state["cls_token"] + first)


def test_open_clip_has_the_network_in_a_trunk(vit, told):
    own = vit()
    content = {f"visual.trunk.{key}": value for key, value in own.state.items()}
    more = {"visual.head.proj.weight": torch.ones(3, 32), "text.w": torch.ones(1), "logit_scale": torch.ones(())}
    assert same(own.load(content | more), own.state) and "left out: visual.head.proj.weight, text.w" in told.text


@pytest.mark.parametrize(
    ("lacking", "more", "sentence"),
    [
        ("norm.", {}, "2 tensors are missing, 0 unknown and 0 of another shape"),
        ("-", {"blocks.0.ls1.gamma": torch.ones(32)}, "0 tensors are missing, 1 unknown"),
        ("-", {"blocks.2.norm1.weight": torch.ones(32)}, "0 tensors are missing, 1 unknown"),
        ("-", {"pos_embed": torch.ones(1, 16, 32)}, "1 of another shape .such as pos_embed"),
    ],
)
def test_no_random_layer_stays_in_the_way_of_a_feature(vit, lacking, more, sentence):
    own = vit()
    content = {key: value for key, value in own.state.items() if not key.startswith(lacking)} | more
    with pytest.raises(UserError, match=sentence):
        own.load(content)


def test_attention_pooling_that_a_file_has_not_starts_at_random_which_is_said(vit, told):
    own = vit()
    loaded = own.load(own.state, pooling="map")
    assert any(key.startswith("attn_pool.") for key in loaded)
    assert "others.pth has no attn_pool of local-dir:" in told.text and "starts at random" in told.text


def test_the_classifier_of_a_head_that_has_a_norm_is_left_out(tmp_path):
    whole = timm.create_model("test_convnext", num_classes=7)
    torch.save(whole.state_dict(), tmp_path / "w.pth")
    loaded = create_backbone("test_convnext", str(tmp_path / "w.pth"))
    assert torch.equal(loaded.head.norm.weight, whole.head.norm.weight)
