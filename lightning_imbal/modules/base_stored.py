"""What a module has to do with features that were stored before: whether they are those of its backbone."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from lightning_imbal.backbones.trial import evaluating
from lightning_imbal.backbones.weights import COUNTED
from lightning_imbal.contract import FeatureData
from lightning_imbal.errors import UserError
from lightning_imbal.modules.base_checkpoint import digest_of, first_stage_state

PROBED = 16  # numbers of the feature of a test pattern
ON_PICTURES = "or look at pictures with data.features=null"


class Frozen(Protocol):
    """What keeps a backbone, or does not."""

    freezes_backbone: bool


def with_features(data: object) -> FeatureData | None:
    """The data, if they are to give features that were stored before; else None."""
    return data if isinstance(data, FeatureData) and data.features is not None else None


def refuse_stored(model: Frozen, data: object) -> None:
    """Refuses stored features for a module that looks at pictures; UserError says the mend."""
    if (stored := with_features(data)) and not model.freezes_backbone:
        raise UserError(
            f"{type(model).__name__} looks at pictures, and {stored.features} holds features of a frozen backbone: "
            f"choose FrozenHead, as with --config heads/linear_probe.yaml, {ON_PICTURES}."
        )


def weights_digest(state: Mapping[str, Tensor]) -> str:
    """SHA-256 of the weights of a backbone, whatever number of batches a BatchNorm has seen."""
    return digest_of({name: value for name, value in state.items() if not name.endswith(COUNTED)})


def weights_in(checkpoint: Path, backbone: nn.Module) -> dict[str, Tensor]:
    """The weights of the backbone in the checkpoint of a first stage; the network is the one that is to have them."""
    state = first_stage_state(checkpoint, {"backbone": backbone})
    return {key.removeprefix("backbone."): value for key, value in state.items() if key.startswith("backbone.")}


@torch.no_grad()
def probe(backbone: nn.Module, image_size: int) -> list[float]:
    """What a backbone makes of a test pattern, its first numbers: it shows settings that the weights do not."""
    like = next(backbone.parameters(), torch.zeros(()))
    pattern = torch.sin(0.7 * torch.arange(3 * image_size**2)).view(1, 3, image_size, image_size)
    with evaluating(backbone):
        feature = backbone(pattern.to(like.device, like.dtype))
    return [round(value, 6) for value in feature[0, :PROBED].float().tolist()]


def network_facts(backbone: nn.Module, name: Any, image_size: int) -> dict[str, Any]:
    """What stored features depend on of a network.

    Args:
        backbone: With its weights.
        name: What a configuration calls it; of a network of one's own, its class.
        image_size: Side of the pictures, in pixels.
    """
    called = name if isinstance(name, str) else type(backbone).__name__
    state = weights_digest(backbone.state_dict())
    return {"backbone": called, "weights": state, "probe": probe(backbone, image_size)}
