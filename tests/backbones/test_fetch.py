"""Weights that were fetched once need no network; without them, nobody waits for a server that does not answer."""

from threading import Event
from types import SimpleNamespace

import pytest
import timm
import torch
from huggingface_hub import constants
from safetensors.torch import save_file

from lightning_imbal.backbones import fetch
from lightning_imbal.backbones.create import create_backbone
from lightning_imbal.errors import UserError


@pytest.fixture
def asked(monkeypatch):
    """The servers that are asked: none answers."""
    servers = []
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(fetch, "_answers", lambda url: bool(servers.append(url)))
    return servers


def in_cache(cache, name):
    """The folder of a repository of timm in a cache, which is empty."""
    snapshot = cache / f"models--timm--{name}" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (snapshot.parents[1] / "refs").mkdir()
    (snapshot.parents[1] / "refs" / "main").write_text("abc")
    return snapshot


def test_what_was_fetched_before_is_taken_without_a_network(tmp_path, monkeypatch, asked):
    whole = timm.create_model("test_resnet")  # with its classifier, as it is kept
    snapshot = in_cache(tmp_path, "test_resnet.r160_in1k")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    assert fetch.cached_weights("test_resnet") is None
    save_file(whole.state_dict(), snapshot / "model.safetensors")
    backbone = create_backbone("test_resnet", pretrained=True)
    assert torch.equal(next(backbone.parameters()), next(whole.parameters())) and not asked


def test_a_server_that_does_not_answer_is_given_up(monkeypatch, asked):
    monkeypatch.setattr(timm, "create_model", lambda *args, **kwargs: pytest.fail("timm would try for a minute"))
    with pytest.raises(UserError, match="test_resnet could not be fetched .no answer.*model.pretrained=path"):
        create_backbone("test_resnet", pretrained=True)
    assert asked == [constants.ENDPOINT]
    silent = Event()
    monkeypatch.setattr(fetch, "PATIENCE", 0.01)
    monkeypatch.setattr(fetch, "_answers", lambda url: silent.wait())
    assert not fetch.can_fetch("test_resnet")
    silent.set()


def test_offline_nobody_is_asked(monkeypatch, asked):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert not fetch.can_fetch("test_resnet") and not asked


def test_any_response_is_an_answer_and_nothing_else(monkeypatch):
    asked = []
    session = SimpleNamespace(head=lambda url, timeout: asked.append((url, timeout)))
    monkeypatch.setattr(fetch, "get_session", lambda: session)
    assert fetch._answers("https://here.invalid") and asked == [("https://here.invalid", fetch.PATIENCE)]
    session.head = lambda url, timeout: 1 / 0
    assert not fetch._answers("https://here.invalid")


def test_attention_pooling_that_the_fetched_weights_have_not_is_said(tmp_path, monkeypatch, asked, told):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(UserError, match="^The weights of test_vit are not in the cache and could not be fetched"):
        create_backbone("test_vit", pretrained=True, pooling="map")
    whole = timm.create_model("test_vit")
    save_file(whole.state_dict(), in_cache(tmp_path, "test_vit.r160_in1k") / "model.safetensors")
    backbone = create_backbone("test_vit", pretrained=True, pooling="map")
    assert torch.equal(backbone.pos_embed, whole.pos_embed) and backbone.attn_pool is not None
    assert "has no attn_pool of test_vit, which starts at random" in told.text


def test_attention_pooling_that_the_fetched_weights_have_is_taken(tmp_path, monkeypatch, asked, told):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    whole = timm.create_model("test_vit", num_classes=0, global_pool="map")
    save_file(whole.state_dict(), in_cache(tmp_path, "test_vit.r160_in1k") / "model.safetensors")
    state = create_backbone("test_vit", pretrained=True, pooling="map").state_dict()
    assert all(torch.equal(value, whole.state_dict()[name]) for name, value in state.items()) and not told.text
