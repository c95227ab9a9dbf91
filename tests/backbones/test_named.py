"""Networks of folders and of repositories, with and without a server, and what is kept of them."""

import json
import shutil

import pytest
import timm
import torch
from huggingface_hub import constants
from made_networks import network

from lightning_imbal.backbones import create_backbone, fetch
from lightning_imbal.backbones.create import architecture_of, weights_normalization
from lightning_imbal.backbones.named import named, told_name, weights_file
from lightning_imbal.backbones.twin import twin_last_block
from lightning_imbal.errors import UserError


@pytest.fixture
def silent(monkeypatch, tmp_path):
    """A cache of Hugging Face that is empty, and no server that answers; the servers that are asked."""
    asked = []
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(fetch, "_answers", lambda url: bool(asked.append(url)))
    return asked


def cache(tmp_path, repository="models--me--net"):
    """A repository in the cache, as it is after it was fetched once; returns its files and its network."""
    snapshot = tmp_path / "cache" / repository / "snapshots" / "abc"
    model = network(snapshot)
    (snapshot.parents[1] / "refs").mkdir()
    (snapshot.parents[1] / "refs" / "main").write_text("abc")
    return snapshot, model


def test_a_repository_in_the_cache_needs_no_server(tmp_path, silent):
    _, model = cache(tmp_path)
    backbone = create_backbone("hf-hub:me/net", pretrained=True)
    assert torch.equal(backbone.pos_embed, model.pos_embed) and not silent
    assert weights_normalization("hf-hub:me/net") == ((0.4, 0.5, 0.6), (0.2, 0.25, 0.3))


def test_without_a_server_the_sentence_names_the_folder(tmp_path, silent):
    with pytest.raises(UserError, match="^hf-hub:me/net is not in the cache and could not be .*local-dir:FOLDER.$"):
        create_backbone("hf-hub:me/net")
    assert silent == [constants.ENDPOINT]
    snapshot, _ = cache(tmp_path)
    (snapshot / "model.safetensors").unlink()
    create_backbone("hf-hub:me/net")  # of random weights
    with pytest.raises(UserError, match="^The weights of hf-hub:me/net are not in the cache .*local-dir:FOLDER.$"):
        create_backbone("hf-hub:me/net", pretrained=True)


def test_what_a_server_has_is_fetched(tmp_path, silent, monkeypatch):
    made = tmp_path / "made"
    network(made)
    monkeypatch.setattr(fetch, "server_answers", lambda url: True)
    monkeypatch.setattr(fetch, "hf_hub_download", lambda repository, file, revision: str(made / file))
    assert named("hf-hub:me/net@v1").architecture == "vit_tiny_patch16_224"
    assert weights_file("hf-hub:me/net") == made / "model.safetensors"


def test_a_network_is_built_from_what_is_kept_of_it(tmp_path):
    network(tmp_path / "net", label_names=["secret"])
    first = create_backbone(f"local-dir:{tmp_path / 'net'}", True, image_size=64, pooling="avg")
    kept = architecture_of(first)
    shutil.rmtree(tmp_path / "net")
    assert str(tmp_path) not in json.dumps(kept) and "secret" not in json.dumps(kept)
    again = create_backbone("local-dir:net", image_size=64, pooling="avg", architecture=kept)
    again.load_state_dict(first.state_dict())
    image = torch.rand(2, 3, 64, 64)
    torch.testing.assert_close(again.eval()(image), first.eval()(image))
    assert architecture_of(again) == kept and architecture_of(create_backbone("test_resnet")) is None


def test_a_name_that_is_told_has_no_place_on_this_machine(tmp_path):
    assert (
        told_name(f"local-dir:{tmp_path / 'net'}") == "local-dir:net" and told_name("hf-hub:me/net") == "hf-hub:me/net"
    )


def test_a_network_of_a_folder_has_a_last_block_that_can_be_taken_twice(tmp_path):
    network(tmp_path / "net")
    backbone = create_backbone(f"local-dir:{tmp_path / 'net'}", image_size=48)
    twin = twin_last_block(backbone)
    assert backbone.blocks[1] is twin and backbone(torch.rand(2, 3, 48, 48)).shape == (4, 32)


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        (None, "There is no config.json in .*timm.models.save_for_hf"),
        ("{", "describes no network of timm"),
        ('{"model_type": "dinov2", "architectures": ["Dinov2Model"]}', "describes no network of timm"),
        ('{"architecture": "vit_tny_patch16_224", "pretrained_cfg": {}}', "which timm .* does not know: did you mean"),
        ('{"architecture": "test_vit", "pretrained_cfg": {"colour": 1}}', "is not that of a test_vit .*colour"),
        (
            '{"architecture": "test_resnet", "pretrained_cfg": {}, "model_args": {"dept": 1}}',
            "not that of a test_resnet",
        ),
    ],
)
def test_a_folder_without_a_network_is_refused_in_a_sentence(tmp_path, config, sentence):
    if config is not None:
        (tmp_path / "config.json").write_text(config)
    with pytest.raises(UserError, match=sentence):
        create_backbone(f"local-dir:{tmp_path}")


def test_a_folder_without_weights_can_only_start_from_scratch(tmp_path):
    network(tmp_path / "net")
    (tmp_path / "net" / "model.safetensors").unlink()
    create_backbone(f"local-dir:{tmp_path / 'net'}")
    with pytest.raises(UserError, match="There are no weights in .*put model.safetensors there, or give another file"):
        create_backbone(f"local-dir:{tmp_path / 'net'}", pretrained=True)


@pytest.mark.parametrize(("name", "hint"), [("google/vit", "hf-hub:google/vit"), ("hf-hub:vit", "give owner/name")])
def test_names_that_are_none_are_refused(name, hint):
    with pytest.raises(UserError, match=hint):
        create_backbone(name)


def test_a_folder_without_its_prefix_is_told(tmp_path, monkeypatch):
    (tmp_path / "net").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="did you mean model.backbone=local-dir:net[?]"):
        create_backbone("net")


def test_a_network_of_one_channel_gets_three(tmp_path):
    model = network(tmp_path / "net", "test_resnet", {"in_chans": 1}, mean=(0.4,), std=(0.2,))
    backbone = create_backbone(f"local-dir:{tmp_path / 'net'}", pretrained=True)
    assert backbone(torch.rand(2, 3, 32, 32)).ndim == 2
    assert weights_normalization(backbone) == ((0.4, 0.4, 0.4), (0.2, 0.2, 0.2))
    torch.testing.assert_close(backbone.conv1[0].weight.sum(1), model.conv1[0].weight.sum(1))
    assert timm.create_model(f"local-dir:{tmp_path / 'net'}").conv1[0].weight.shape[1] == 1
