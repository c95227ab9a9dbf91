"""Where in a network its last map of features is, for Grad-CAM, and the tokens of a vision transformer."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from lightning_imbal.backbones.sizes import patch_size
from lightning_imbal.errors import UserError

LEAST = 4  # cells of a map's side: of fewer, hardly anything could be told
MOST_OTHERS = 16  # tokens beside those of the patches: class, distillation, registers


@dataclass(frozen=True)
class FeatureMap:
    """A layer whose output is a map of features.

    Args:
        layer: The layer.
        cells: Height and width of the map, in cells.
        as_maps: From the output of the layer to (B, C, height, width).
    """

    layer: nn.Module
    cells: tuple[int, int]
    as_maps: Callable[[Tensor], Tensor]


def transformer_of(backbone: nn.Module) -> nn.Module | None:
    """The vision transformer of timm that a backbone is, or that is wrapped in it; None if there is none."""
    parts = (module for module in backbone.modules() if hasattr(module, "patch_embed") and hasattr(module, "blocks"))
    return next(parts, None)


def patches_of(transformer: nn.Module, image: Tensor) -> tuple[int, int]:
    """How many patches, in height and in width, a vision transformer makes of images (B, 3, H, W)."""
    embed: Any = transformer.patch_embed
    if hasattr(embed, "dynamic_feat_size"):
        return tuple(embed.dynamic_feat_size(tuple(image.shape[-2:])))
    if hasattr(embed, "grid_size"):
        return tuple(embed.grid_size)
    if not (side := patch_size(transformer)):
        raise UserError(f"{type(transformer).__name__} does not tell how large its patches are: no map is known of it.")
    return image.shape[-2] // side, image.shape[-1] // side


def last_feature_map(backbone: nn.Module, image: Tensor) -> FeatureMap:
    """Finds the last map of features with at least 4 x 4 cells; of smaller ones, the largest.

    Of a vision transformer, the patches of what the last block's first LayerNorm gives: behind that block, the class
    token alone is looked at. Of other networks of timm, the stages that `feature_info` lists; of one's own, the outputs
    with four dimensions. Images go through the network once.

    Args:
        backbone: The network, in evaluation mode.
        image: Normalised images (B, 3, H, W), such as one.

    Raises:
        UserError: There is none.
    """
    if (transformer := transformer_of(backbone)) is not None:
        return _of_transformer(backbone, transformer, image)
    staged = next((module for module in backbone.modules() if getattr(module, "feature_info", None)), None)
    if staged is not None:
        names = [stage["module"] for stage in staged.feature_info]  # type: ignore[union-attr]  # it has them
        layers = [module for name, module in staged.named_modules() if name in names]
    else:
        layers = [module for module in backbone.modules() if module is not backbone]
    channels_last = getattr(staged, "output_fmt", None) == "NHWC"
    maps = [
        FeatureMap(layer, (height, width), partial(_as_maps, channels_last, len(outputs) // len(image)))
        for layer, outputs in outputs_of(backbone, layers, image).items()
        if outputs.ndim == 4 and len(outputs) % len(image) == 0
        for height, width in [outputs.shape[1:3] if channels_last else outputs.shape[2:]]
        if min(height, width) > 1
    ]
    if not maps:
        raise UserError(
            f"{type(staged or backbone).__name__} has no map of features of more than one cell for images of "
            f"{image.shape[-2]} x {image.shape[-1]} pixels, so there is nothing for Grad-CAM to show."
        )
    large = [each for each in maps if min(each.cells) >= LEAST]
    return large[-1] if large else max(maps, key=lambda each: min(each.cells))


def _as_maps(channels_last: bool, branches: int, outputs: Tensor) -> Tensor:
    """Maps (B, C, h, w); those of several branches, which are one behind the other, have their channels together."""
    maps = outputs.movedim(-1, 1) if channels_last else outputs
    return torch.cat(maps.chunk(branches), dim=1) if branches > 1 else maps


def _of_transformer(backbone: nn.Module, transformer: nn.Module, image: Tensor) -> FeatureMap:
    blocks: Any = transformer.blocks
    # A twin's last block is there twice, and each of its norms sees one branch.
    layer = getattr(blocks[-1], "norm1", blocks[-2])
    height, width = patches_of(transformer, image)
    outputs = outputs_of(backbone, [layer], image).get(layer)
    others = -1 if outputs is None or outputs.ndim != 3 else outputs.shape[1] - height * width
    if not 0 <= others <= MOST_OTHERS:
        raise UserError(
            f"{type(transformer).__name__} has no token for each patch in its last block, so Grad-CAM does not know "
            "where its features are."
        )
    return FeatureMap(layer, (height, width), partial(_of_tokens, others, (height, width)))


def _of_tokens(others: int, cells: tuple[int, int], tokens: Tensor) -> Tensor:
    """Maps (B, D, h, w) of tokens (B, N, D), the first of which are of no patch."""
    return tokens[:, others:].unflatten(1, cells).permute(0, 3, 1, 2)


def outputs_of(network: nn.Module, layers: list[nn.Module], image: Tensor) -> Mapping[nn.Module, Tensor]:
    """What layers give for images, in the order in which they do, without those that are used more than once."""
    found: dict[nn.Module, Tensor] = {}
    several: set[nn.Module] = set()

    def keep(layer: nn.Module, inputs: Any, outputs: Any) -> None:
        several.update({layer} & found.keys())
        if isinstance(outputs, Tensor):
            found[layer] = outputs

    hooks = [layer.register_forward_hook(keep) for layer in layers]
    try:
        with torch.no_grad():
            network(image)
    finally:
        for hook in hooks:
            hook.remove()
    return {layer: outputs for layer, outputs in found.items() if layer not in several}


@contextmanager
def inputs_of(layer: nn.Module) -> Iterator[list[Tensor]]:
    """What a layer gets, call by call: of the head of a classifier, the features."""
    kept: list[Tensor] = []
    hook = layer.register_forward_pre_hook(lambda module, inputs: kept.append(inputs[0].detach()))
    try:
        yield kept
    finally:
        hook.remove()
