"""The layers of a network in their order, of which only the last are trained, or the first at lower rates."""

from types import SimpleNamespace
from typing import Literal

from timm.models import group_parameters
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from lightning_imbal.backbones.known import name_of
from lightning_imbal.errors import UserError
from lightning_imbal.wording import number_of

Unfreeze = Literal["last_block", "last_stage", "norms"] | int
NORMS = (_BatchNorm, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)
BEHIND = "\0"  # matches no layer


def unfreeze_parts(backbone: nn.Module, parts: Unfreeze) -> str:
    """Makes the end of a frozen network learn, or its normalisation layers, and says what learns.

    Blocks and stages are those of timm's `group_matcher`, and what follows the last block belongs to it.

    Args:
        backbone: Its parameters are frozen; it is changed.
        parts: `last_block`, `last_stage`, a number of last blocks, or `norms`.

    Raises:
        UserError: The network has not so many blocks, or does not tell what its blocks are.
        ValueError: A number below 1.
    """
    if parts == "norms":
        norms = [layer for layer in backbone.modules() if isinstance(layer, NORMS) and [*layer.parameters()]]
        if not norms:
            raise UserError(f"{name_of(backbone)} has no normalisation layers to unfreeze: choose last_block.")
        for layer in norms:
            layer.requires_grad_(True)
        return number_of(len(norms), "normalisation layer")
    number = parts if isinstance(parts, int) else 1
    if number < 1:
        raise ValueError(f"unfreeze must be at least 1 block, but is {number}.")
    order = layer_order(backbone, coarse=parts == "last_stage")
    behind = order.pop(BEHIND)
    of_blocks = {number for number in order.values() if number < behind}
    if number > len(of_blocks):
        raise UserError(
            f"{name_of(backbone)} has {number_of(len(of_blocks), 'block')}, of which {number} cannot be trained: "
            "set model.unfreeze to a smaller number, or to null, which trains the whole network."
        )
    first = sorted(of_blocks)[-number]
    for name, value in backbone.named_parameters():
        if order[name] >= first:
            value.requires_grad_(True)
    return {"last_block": "the last block", "last_stage": "the last stage"}.get(
        str(parts), f"the last {number_of(number, 'block')}"
    )


def layer_order(backbone: nn.Module, coarse: bool = False) -> dict[str, int]:
    """The number of the layer that each parameter belongs to, from the first (0) on.

    Args:
        backbone: A network of timm, whose layers are those of its `group_matcher`, also where small parts were added.
        coarse: Whether a whole stage counts as one layer.

    Returns:
        By name of the parameter; as `BEHIND` the number of what follows the network, such as a classifier.

    Raises:
        UserError: It does not tell its layers.
    """
    matcher = getattr(backbone, "group_matcher", None)
    if matcher is None:
        raise UserError(
            f"{name_of(backbone)} does not tell what its blocks are (group_matcher, as networks of timm do): "
            "set model.layer_decay to null, and model.unfreeze to null or norms."
        )
    named = SimpleNamespace(named_parameters=lambda: iter([*backbone.named_parameters(), (BEHIND, None)]))
    return group_parameters(named, matcher(coarse=coarse), reverse=True)  # type: ignore[arg-type]  # it asks no more


def layer_rates(backbone: nn.Module, layer_decay: float) -> dict[nn.Parameter, float]:
    """The share of the learning rate that each parameter of a network gets.

    H. Bao, L. Dong, S. Piao, F. Wei. BEiT: BERT Pre-Training of Image Transformers. ICLR 2022, appendix H, as timm has
    it: `layer_decay` to the power of how many layers there are from it to the classifier, which has the whole rate.
    """
    order = layer_order(backbone)
    return {value: layer_decay ** (order[BEHIND] - order[name]) for name, value in backbone.named_parameters()}


def keeps_statistics(layer: nn.Module) -> bool:
    """Whether a layer is a BatchNorm in a partly frozen network whose statistics must stay as they are too."""
    return isinstance(layer, _BatchNorm) and (layer.weight is None or not layer.weight.requires_grad)


def frozen_tensors(backbone: nn.Module) -> dict[str, Tensor]:
    """What of a partly frozen network stays as it is, by its names in the state of the network."""
    frozen: dict[str, Tensor] = {name: value for name, value in backbone.named_parameters() if not value.requires_grad}
    for name, layer in backbone.named_modules():
        if keeps_statistics(layer):
            frozen |= {f"{name}.{key}": value for key, value in layer.named_buffers()}
    return frozen
