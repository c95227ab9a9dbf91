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


def test_what_was_fetched_before_is_taken_without_a_network(tmp_path, monkeypatch, asked):
    whole = timm.create_model("test_resnet")  # with its classifier, as it is kept
    snapshot = tmp_path / "models--timm--test_resnet.r160_in1k" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (snapshot.parents[1] / "refs").mkdir()
    (snapshot.parents[1] / "refs" / "main").write_text("abc")
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
