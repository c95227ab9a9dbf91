"""A file may hold more than the network, under any name; with some of its weights alone it is that of another one."""

from types import SimpleNamespace

import pytest
import torch

from lightning_imbal.backbones import create_backbone
from lightning_imbal.errors import UserError


@pytest.fixture
def load(tmp_path):
    """Builds a network with the weights of another one, changed as is given."""
    weights = create_backbone("test_resnet").state_dict()

    def loaded(lacking=(), **more):
        state = {name: value for name, value in weights.items() if name not in lacking} | more
        torch.save(state, tmp_path / "weights.pth")
        return create_backbone("test_resnet", str(tmp_path / "weights.pth"))

    return loaded


def test_a_classifier_beside_the_weights_is_left_out(load):
    load(**{"fc.weight": torch.zeros(3, 2), "fc.bias": torch.zeros(3)})


def test_no_layer_is_left_random(load):
    first = next(iter(create_backbone("test_resnet").state_dict()))
    with pytest.raises(UserError, match=rf"1 tensors are missing, 0 unknown and 0 of another shape \(such as {first};"):
        load(lacking=[first])


def test_layers_of_another_network_are_refused(load):
    with pytest.raises(
        UserError, match=r"0 tensors are missing, 1 unknown and 0 of another shape \(such as layer1.9.w;"
    ):
        load(**{"layer1.9.w": torch.zeros(1)})


def test_another_shape_is_refused(load):
    with pytest.raises(UserError, match="0 unknown and 1 of another shape .such as conv1.0.weight"):
        load(**{"conv1.0.weight": torch.zeros(1)})


PREFIXES = ("module.", "_orig_mod.model.", "model.backbone.", "encoder_q.", "net.trunk.0.")


INSIDE = ((), ("state_dict",), ("model_state_dict",), ("teacher",), ("net", "state_dict"))


@pytest.mark.parametrize(("prefix", "inside"), zip(PREFIXES, INSIDE, strict=True))
def test_the_network_in_a_checkpoint_of_others(tmp_path, told, prefix, inside):
    wanted = create_backbone("test_resnet").state_dict()
    content = {prefix + name: value for name, value in wanted.items() if not name.endswith("num_batches_tracked")}
    content[f"{prefix}conv1.1.num_batches_tracked"] = torch.zeros(1)  # as it was once written
    more = {
        "head.weight": torch.zeros(3, 2),
        "encoder_k.conv1.0.weight": torch.zeros(1),
        f"{prefix}fc.bias": torch.ones(1),
    }
    content |= more
    for key in reversed(inside):
        content = {"epoch": 3, key: content}
    torch.save(content, tmp_path / "own.ckpt")
    loaded = create_backbone("test_resnet", str(tmp_path / "own.ckpt")).state_dict()
    assert all(torch.equal(loaded[name], value) for name, value in wanted.items())
    [said] = set(told.messages)
    assert said.endswith(f"holds 3 tensors that test_resnet has not, left out: {', '.join(more)}.")


def test_what_is_left_out_is_said_once(load, told):
    load(**{"fc.weight": torch.zeros(3, 2)})
    said = [*told.messages]
    load(**{"fc.weight": torch.zeros(3, 2)})
    assert said and told.messages == said


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({"epoch": 3}, "has no tensors by name"),
        ([torch.zeros(1)], "has no tensors by name"),
        ({"state_dict": {}, "args": SimpleNamespace(lr=1)}, "may be code and is not run: if you trust it"),
        ({"another.weight": torch.zeros(1)}, "do not fit test_resnet: .*the file has another.weight"),
    ],
)
def test_a_file_without_the_network_is_refused(tmp_path, content, sentence):
    torch.save(content, tmp_path / "own.pt")
    with pytest.raises(UserError, match=sentence):
        create_backbone("test_resnet", str(tmp_path / "own.pt"))
