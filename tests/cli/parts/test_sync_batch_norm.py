"""What `sync_batchnorm` makes of a network, and what is left of it after training."""

import copy

import pytest
import timm
import torch
from torch import nn

from lightning_imbal.cli.parts.sync_batch_norm import TimmSyncBatchNorm


@pytest.mark.parametrize("name", ["test_efficientnet", "test_resnet"])
def test_layers_see_the_whole_batch_and_are_afterwards_what_they_were(name):
    torch.manual_seed(0)
    network, image = timm.create_model(name, num_classes=0), torch.randn(2, 3, 32, 32)
    plain, sync = copy.deepcopy(network), TimmSyncBatchNorm()
    sync.apply(network)
    layers = [layer for layer in network.modules() if isinstance(layer, nn.modules.batchnorm._BatchNorm)]
    assert layers and all(isinstance(layer, nn.SyncBatchNorm) for layer in layers)
    assert torch.equal(network.eval()(image), plain.eval()(image))
    for changed in (network, plain):  # as a training does
        first = next(layer for layer in changed.modules() if isinstance(layer, nn.modules.batchnorm._BatchNorm))
        first.running_mean = first.running_mean + 1
        with torch.no_grad():
            first.weight.mul_(2)
    sync.revert(network)
    assert [type(layer) for layer in network.modules()] == [type(layer) for layer in plain.modules()]
    assert torch.equal(network(image), plain(image)) and not network.bn1.training
