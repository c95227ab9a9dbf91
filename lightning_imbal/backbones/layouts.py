"""Weights as other projects name them, in timm's names and sizes."""

import sys
from collections.abc import Iterator

from torch import Tensor, nn

from lightning_imbal.backbones.known import layers_of

NORMS = ("norm", "fc_norm")  # of tokens before they are pooled, and of their mean; a ViT has one of them
CHANNELS = 3


def as_of_timm(backbone: nn.Module, state: dict[str, Tensor]) -> Iterator[dict[str, Tensor]]:
    """Yields the tensors of a file by the names that a timm network knows them by, if they can be found.

    The filter of the network's family in timm renames what other projects call otherwise, and resizes embeddings of
    positions and patches. Beside that, the last normalisation of a ViT is taken from that of the mean of its tokens, or
    the other way round, and filters for one or four channels are made those for three.

    Args:
        backbone: The network.
        state: Tensors by their names in the file.
    """
    module = type(backbone).__module__
    timms = getattr(sys.modules[module], "checkpoint_filter_fn", None) if module.startswith("timm.") else None
    found = _of_three_channels(backbone, dict(state))
    if timms is not None:
        try:
            found = timms(found, backbone)
        except Exception:  # each expects the layouts that it knows
            return
    yield _with_norm(backbone, found)


def _with_norm(backbone: nn.Module, state: dict[str, Tensor]) -> dict[str, Tensor]:
    wanted = backbone.state_dict().keys()
    for here, there in (NORMS, NORMS[::-1]):
        if f"{here}.weight" in wanted and f"{here}.weight" not in state and f"{there}.weight" in state:
            names = {key: key.replace(there, here, 1) for key in state if key.startswith(f"{there}.")}
            return {names.get(key, key): value for key, value in state.items()}
    return state


def _of_three_channels(backbone: nn.Module, state: dict[str, Tensor]) -> dict[str, Tensor]:
    for name in layers_of(backbone, "first_conv"):
        weight = state.get(f"{name}.weight")
        if weight is None or weight.ndim != 4 or weight.shape[1] == CHANNELS:
            continue
        wanted = backbone.state_dict().get(f"{name}.weight")
        if wanted is not None and wanted.shape[1] == CHANNELS:
            # As timm does: repeated or cut off, in the same sum.
            repeats = -(-CHANNELS // (channels := weight.shape[1]))
            state[f"{name}.weight"] = weight.repeat(1, repeats, 1, 1)[:, :CHANNELS] * (channels / CHANNELS)
    return state
