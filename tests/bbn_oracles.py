"""BBN as two networks of timm that have one branch each, for its tests."""

from pathlib import Path

import torch

DEMO = str(Path(__file__).parents[1] / "experiments" / "demo.yaml")
AS_BBN = ["--config", DEMO, "--model", "lightning_imbal.modules.bbn.BBN"]


def random_images(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def shake(module):
    """Gives a module weights other than those of its twin."""
    with torch.no_grad():
        for weight in module.parameters():
            weight += 0.1 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(2))
