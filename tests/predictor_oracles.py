"""Small networks, and slow oracles of predictors."""

import timm
import torch
from torch import Tensor, nn

COUNTS = torch.tensor([100, 10, 1])


class Given(nn.Module):
    """A network whose logits are its image."""

    def forward(self, image: Tensor) -> Tensor:
        return image


def small_network() -> nn.Module:
    torch.manual_seed(0)
    return timm.create_model("test_resnet", num_classes=len(COUNTS)).eval()


def random_image(batch: int, side: int = 32) -> Tensor:
    return torch.randn(batch, 3, side, side, generator=torch.Generator().manual_seed(1))
