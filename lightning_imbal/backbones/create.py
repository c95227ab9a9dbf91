"""Feature extractors: networks of timm or one's own, with random, fetched or local weights."""

from abc import ABC
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import timm
import torch
from torch import nn

from lightning_imbal.backbones.fetch import cached_weights, can_fetch
from lightning_imbal.backbones.known import config_of
from lightning_imbal.backbones.named import Named, described, named, weights_file
from lightning_imbal.backbones.pooling import set_pooling
from lightning_imbal.backbones.sizes import built_for
from lightning_imbal.backbones.weights import load_local
from lightning_imbal.errors import UserError

Pooling = Literal["token", "avg", "map"]
if TYPE_CHECKING:
    Network = nn.Module
else:

    class Network(nn.Module, ABC):
        """What a configuration may name as a network: any `nn.Module` by its path."""

        @classmethod
        def __subclasshook__(cls, other: type) -> bool:
            return issubclass(other, nn.Module) if cls is Network else NotImplemented


def create_backbone(
    network: str | nn.Module,
    pretrained: bool | str = False,
    image_size: int | None = None,
    pooling: Pooling | None = None,
    grad_checkpointing: bool = False,
    architecture: dict[str, Any] | None = None,
) -> nn.Module:
    """Builds a timm network without its classifier, or takes one: images (B, 3, H, W) to features (B, D).

    The channels of a pixel lie side by side in memory (`channels_last`), which convolutions are faster with.

    Args:
        network: A timm model name, such as `resnet50`, `hf-hub:owner/name`, `local-dir:folder`, or a network, whose
            `num_features` is D.
        pretrained: True takes timm's weights from its cache, or lets it fetch them once, which is given up after 4
            seconds without an answer, and those of a folder or repository; a path loads a local .safetensors or .pth
            file. Embeddings of positions are interpolated to the size of the pictures.
        image_size: Side of the pictures, in pixels, for networks that are built for one size, such as ViT and Swin.
            None is the size that they were trained with.
        pooling: How tokens or pixels become one feature; None is the network's own way.
        grad_checkpointing: Computes activations again in the backward pass instead of keeping them.
        architecture: What `architecture_of` once said of the network.

    Raises:
        UserError: The name is unknown, the network does not tell its D, cannot take such pictures or has no such
            pooling, or the weights cannot be had or do not fit.
    """
    name = network if isinstance(network, str) else type(network).__name__
    file = Path(pretrained).expanduser() if isinstance(pretrained, str) else None
    if isinstance(network, str):
        meant = named(network, architecture)
        if pretrained is True and (meant.config is not None or pooling == "map"):  # of which timm says nothing
            file = weights_file(network)
        backbone = _of_timm(meant, pretrained is True and file is None, image_size, pooling)
        backbone.timm_architecture = described(meant)  # type: ignore[assignment]  # no part of the network
    else:
        backbone = _own(network, pretrained)
    backbone = backbone.to(memory_format=torch.channels_last)
    if file is not None:
        backbone = load_local(backbone, name, file, random=("attn_pool.",) if pooling == "map" else ())
    if pooling is not None:
        set_pooling(backbone, name, pooling, feature_size(backbone))
    if grad_checkpointing:
        _checkpoint_gradients(backbone, name)
    return backbone


def architecture_of(backbone: nn.Module) -> dict[str, Any] | None:
    """What builds a network of `hf-hub:` or `local-dir:` anew, in plain data; None of others."""
    return getattr(backbone, "timm_architecture", None)


def _own(network: nn.Module, pretrained: bool | str) -> nn.Module:
    name = type(network).__name__
    if pretrained is True:
        raise UserError(f"There are no weights of {name} to fetch: load them into it, or give a file as pretrained.")
    if not isinstance(getattr(network, "num_features", None), int):
        raise UserError(f"{name} does not tell how many features it gives: set its attribute num_features.")
    return network


def _of_timm(meant: Named, pretrained: bool, image_size: int | None, pooling: Pooling | None) -> nn.Module:
    arguments: dict[str, Any] = {**meant.arguments, "num_classes": 0, "in_chans": 3}
    if meant.config is not None:
        arguments["pretrained_cfg"] = {key: value for key, value in meant.config.items() if key != "source"}
    if pretrained:
        arguments |= {"pretrained": True, "pretrained_cfg_overlay": _weights_at_hand(meant.name)}

    of_pooling = {"global_pool": "map"} if pooling == "map" else {}  # which has weights of its own

    def build(size: int | None, **more: Any) -> nn.Module:
        of_size = {} if size is None else {"img_size": size}
        return timm.create_model(meant.architecture, **{**arguments, **of_pooling, **of_size, **more})

    def of_shapes(size: int) -> nn.Module:
        with torch.device("meta"):
            return build(size, pretrained=False, global_pool=meant.arguments.get("global_pool"))

    size = image_size if meant.built_for_a_size else None
    try:
        return build(None) if size is None else built_for(build, of_shapes, meant.name, size)
    except (TypeError, AssertionError) as error:
        if pooling == "map":
            mend = "leave model.pooling out, or set it to avg"
            raise UserError(f"{meant.name} has no attention pooling: {mend}.") from error
        if meant.config is None:
            raise
        raise UserError(f"The config.json of {meant.name} is not that of a {meant.architecture} ({error}).") from error
    except (OSError, RuntimeError) as error:
        if not pretrained:
            raise
        raise UserError(_unfetched(meant.name, type(error).__name__)) from error


def _weights_at_hand(name: str) -> dict[str, Any] | None:
    cached = cached_weights(name)
    if cached is None and not can_fetch(name):
        raise UserError(_unfetched(name, "no answer"))
    return cached


def _unfetched(name: str, why: str) -> str:
    return (
        f"The pretrained weights of {name} could not be fetched ({why}): connect to the network, or give a local file "
        "with model.pretrained=path/to/weights.safetensors."
    )


def _checkpoint_gradients(backbone: nn.Module, name: str) -> None:
    try:
        backbone.set_grad_checkpointing()  # type: ignore[operator]  # of timm's networks
    except (AttributeError, AssertionError, TypeError, NotImplementedError) as error:
        raise UserError(f"{name} cannot compute activations again: leave model.grad_checkpointing out.") from error


def feature_size(backbone: nn.Module) -> int:
    """Number of features D that a backbone gives."""
    return getattr(backbone, "head_hidden_size", None) or backbone.num_features  # type: ignore[return-value]  # each has it


def weights_normalization(backbone: str | nn.Module) -> tuple[Sequence[float], Sequence[float]] | None:
    """Mean and standard deviation that the weights of a network were trained with; None if it is not known.

    Args:
        backbone: Its name, or the network.
    """
    known = named(backbone).known if isinstance(backbone, str) else config_of(backbone)
    if "mean" not in known or "std" not in known:
        return None
    mean, std = (tuple(float(each) for each in known[key]) for key in ("mean", "std"))
    # Of networks for one channel the same is true of each of ours.
    return tuple(mean * 3 if len(mean) == 1 else mean[:3]), tuple(std * 3 if len(std) == 1 else std[:3])
