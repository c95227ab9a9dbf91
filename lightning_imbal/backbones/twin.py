"""Two branches at the end of a backbone, as BBN has them."""

from copy import deepcopy
from typing import Any

import torch
from timm.models.regnet import RegStage
from torch import Tensor, nn

from lightning_imbal.backbones.known import config_of, name_of
from lightning_imbal.backbones.sizes import built_size
from lightning_imbal.backbones.trial import evaluating
from lightning_imbal.errors import UserError


class TwinBlock(nn.Module):
    """A block of a network and a copy of it, each with weights of its own.

    Args:
        block: The block; both start with its weights.

    Attributes:
        branch: Which of the two the next forward pass takes, 0 or 1. None takes both: B images become 2 B, first those
            of branch 0, then the same of branch 1.
    """

    branch: int | None = None

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.blocks = nn.ModuleList([block, deepcopy(block)])

    def forward(self, *args: Any, **kwargs: Any) -> Tensor:
        """Returns the output of one block, (B, ...), or of both, (2 B, ...); the arguments are those of the block."""
        if self.branch is not None:
            return self.blocks[self.branch](*args, **kwargs)
        return torch.cat([block(*args, **kwargs) for block in self.blocks])


def twin_last_block(backbone: nn.Module) -> TwinBlock:
    """Puts a `TwinBlock` in the place of a network's last block.

    The block is the last one of the stage that timm lists last in `feature_info`; it is the whole stage if that is no
    chain of blocks. What follows, such as the last convolution of an EfficientNet, is shared. Two blank images go
    through the network to see that it can carry the outputs of both blocks side by side.

    Args:
        backbone: A timm network; it is changed.

    Raises:
        UserError: The last stage has no convolution or linear layer (DenseNet, VGG), or the network cannot carry both
            outputs (such as HRNet and PiT).
    """
    name = _last_block(backbone)
    if name is not None:
        twin = TwinBlock(backbone.get_submodule(name)).train(backbone.training)
        backbone.set_submodule(name, twin)
        if _features_of_two_images(backbone) == 4:
            return twin
    raise UserError(
        f"{name_of(backbone)} has no last block that could be taken twice: choose another "
        "backbone, such as a ResNet, ConvNeXt, EfficientNet, MobileNet, RegNet or ViT."
    )


def _last_block(backbone: nn.Module) -> str | None:
    """Finds the name of the last block, None if there is none with convolution or linear layers."""
    modules = dict(backbone.named_modules())
    stages = getattr(backbone, "feature_info", None)
    name = stages[-1]["module"] if stages else None
    if name not in modules:
        return None
    while children := [child for child, _ in modules[name].named_children()]:
        # A stage goes on after its `blocks` in some networks, whose width would not fit there.
        if not isinstance(modules[name], nn.Sequential | nn.ModuleList | RegStage) and children[-1] != "blocks":
            break
        name = f"{name}.{children[-1]}"
    return name if any(isinstance(layer, nn.Conv2d | nn.Linear) for layer in modules[name].modules()) else None


def _features_of_two_images(backbone: nn.Module) -> int:
    """How many features a network makes of two images; 0 if it fails."""
    # Of one image, an addition of one branch's output to both would go unnoticed.
    try:
        with torch.no_grad(), evaluating(backbone):
            side = built_size(backbone) or config_of(backbone)["input_size"][1:]
            return len(backbone(torch.zeros(2, 3, *side)))
    except (RuntimeError, TypeError, KeyError):
        return 0
