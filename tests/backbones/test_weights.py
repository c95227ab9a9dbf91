"""A file with some of the weights, or with others beside them, is not that of the network."""

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
    with pytest.raises(UserError, match=rf"1 tensors are missing and 0 unknown \(such as {first}\)"):
        load(lacking=[first])


def test_layers_of_another_network_are_refused(load):
    with pytest.raises(UserError, match=r"0 tensors are missing and 1 unknown \(such as blocks.0\)"):
        load(**{"blocks.0": torch.zeros(1)})
