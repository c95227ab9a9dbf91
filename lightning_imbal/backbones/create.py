"""Feature extractors: networks of timm or one's own, with random, fetched or local weights."""

from abc import ABC
from pathlib import Path
from typing import TYPE_CHECKING

import timm
import torch
from torch import nn

from lightning_imbal.backbones.fetch import cached_weights, can_fetch
from lightning_imbal.backbones.weights import load_local
from lightning_imbal.errors import UserError
from lightning_imbal.wording import did_you_mean

if TYPE_CHECKING:
    Network = nn.Module
else:

    class Network(nn.Module, ABC):
        """What a configuration may name as a network: any `nn.Module` by its path."""

        @classmethod
        def __subclasshook__(cls, other: type) -> bool:
            return issubclass(other, nn.Module) if cls is Network else NotImplemented


def create_backbone(network: str | nn.Module, pretrained: bool | str = False) -> nn.Module:
    """Builds a timm network without its classifier, or takes one: images (B, 3, H, W) to features (B, D).

    The channels of a pixel lie side by side in memory (`channels_last`), which convolutions are faster with.

    Args:
        network: A timm model name, such as `resnet50`, or a network, whose `num_features` is D.
        pretrained: True takes timm's weights from its cache, or lets it fetch them once, which is given up after 4
            seconds without an answer; a path loads a local .safetensors or .pth file.

    Raises:
        UserError: The name is unknown, the network does not tell its D, or the weights cannot be had or do not fit.
    """
    backbone = _of_timm(network, pretrained) if isinstance(network, str) else _own(network, pretrained)
    backbone = backbone.to(memory_format=torch.channels_last)
    name = network if isinstance(network, str) else type(network).__name__
    return load_local(backbone, name, Path(pretrained).expanduser()) if isinstance(pretrained, str) else backbone


def _own(network: nn.Module, pretrained: bool | str) -> nn.Module:
    name = type(network).__name__
    if pretrained is True:
        raise UserError(f"There are no weights of {name} to fetch: load them into it, or give a file as pretrained.")
    if not isinstance(getattr(network, "num_features", None), int):
        raise UserError(f"{name} does not tell how many features it gives: set its attribute num_features.")
    return network


def _of_timm(name: str, pretrained: bool | str) -> nn.Module:
    if not timm.is_model(name):
        own = f"a network of your own is given as model.backbone.class_path={name}" if "." in name else ""
        hint = own or did_you_mean(name, timm.list_models(), most=3) or "timm.list_models() lists the names."
        raise UserError(f"There is no backbone named {name!r}: {hint}")
    if pretrained is not True:
        return timm.create_model(name, num_classes=0)
    cached = cached_weights(name)
    if cached is None and not can_fetch(name):
        raise UserError(_unfetched(name, "no answer"))
    try:
        return timm.create_model(name, pretrained=True, pretrained_cfg_overlay=cached, num_classes=0)
    except (OSError, RuntimeError) as error:
        raise UserError(_unfetched(name, type(error).__name__)) from error


def _unfetched(name: str, why: str) -> str:
    return (
        f"The pretrained weights of {name} could not be fetched ({why}): connect to the network, or give a local file "
        "with model.pretrained=path/to/weights.safetensors."
    )


def feature_size(backbone: nn.Module) -> int:
    """Number of features D that a backbone gives."""
    return getattr(backbone, "head_hidden_size", None) or backbone.num_features  # type: ignore[return-value]  # each has it
