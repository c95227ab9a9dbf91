"""Feature extractors from timm, with random, fetched or local weights."""

from pathlib import Path

import timm
import torch
from torch import nn

from lightning_imbal.backbones.weights import load_local
from lightning_imbal.errors import UserError
from lightning_imbal.wording import did_you_mean


def create_backbone(name: str, pretrained: bool | str = False) -> nn.Module:
    """Builds a timm network without its classifier: images (B, 3, H, W) to features (B, D).

    The channels of a pixel lie side by side in memory (`channels_last`), which convolutions are faster with.

    Args:
        name: A timm model name, such as `resnet50`.
        pretrained: True lets timm fetch its weights; a path loads a local .safetensors or .pth file.

    Raises:
        UserError: The name is unknown, or the weights cannot be had or do not fit.
    """
    if not timm.is_model(name):
        hint = did_you_mean(name, timm.list_models(), most=3) or "timm.list_models() lists the names."
        raise UserError(f"There is no backbone named {name!r}: {hint}")
    try:
        backbone = timm.create_model(name, pretrained=pretrained is True, num_classes=0)
    except (OSError, RuntimeError) as error:
        if pretrained is not True:
            raise
        raise UserError(
            f"The pretrained weights of {name} could not be fetched ({type(error).__name__}): connect to the network, "
            "or give a local file with model.pretrained=path/to/weights.safetensors."
        ) from error
    backbone = backbone.to(memory_format=torch.channels_last)
    return load_local(backbone, name, Path(pretrained).expanduser()) if isinstance(pretrained, str) else backbone


def feature_size(backbone: nn.Module) -> int:
    """Number of features D that a backbone gives."""
    return getattr(backbone, "head_hidden_size", None) or backbone.num_features  # type: ignore[return-value]  # timm gives it to each
