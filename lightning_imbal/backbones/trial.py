"""Sees whether a network can take pictures of a size, without computing anything."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy

import torch
from torch import nn
from torch.func import functional_call

from lightning_imbal.backbones.known import config_of, name_of
from lightning_imbal.errors import UserError


def check_size(backbone: nn.Module, image_size: int, images: int) -> None:
    """Refuses pictures that a network cannot take, and batches that its BatchNorm cannot be trained with.

    Shapes alone go through the network (on torch's device `meta`); where they do not get through, two blank pictures
    go through a copy of it. A network that was built for this size was tried then.

    Args:
        backbone: The network, in the mode that it is used in.
        image_size: Side of the pictures, in pixels.
        images: Pictures of a batch.

    Raises:
        UserError: It fails; the message says why.
    """
    tried = getattr(backbone, "built_size", None) == (image_size, image_size)
    if tried and not (backbone.training and images == 1):  # of which BatchNorm may make nothing
        return
    if error := fault_of(backbone, image_size, images):
        raise UserError(
            f"{_name(backbone)} cannot take {'one picture' if images == 1 else 'pictures'} of {image_size} x "
            f"{image_size} pixels ({' '.join(str(error).split()).rstrip('.')}): set another data.image_size, a larger "
            "data.batch_size or another backbone."
        ) from error


def fault_of(backbone: nn.Module, image_size: int, images: int) -> Exception | None:
    """Why a network cannot take pictures of a size; None if it can. The arguments are those of `check_size`."""
    try:
        shape_of_features(backbone, image_size, images)
        return None
    except Exception:  # which may be of shapes, or of an operation that needs numbers
        copy = deepcopy(backbone)
    try:
        with torch.no_grad():
            copy(torch.zeros(min(images, 2), 3, image_size, image_size))
    except Exception as error:  # each network has its own
        return error
    return None


def shape_of_features(backbone: nn.Module, image_size: int, images: int) -> torch.Size:
    """The shape of what a network makes of pictures, found on torch's device `meta`: nothing is computed."""
    tensors = {name: value.to("meta") for name, value in [*backbone.named_parameters(), *backbone.named_buffers()]}
    with torch.no_grad():
        pictures = torch.empty(images, 3, image_size, image_size, device="meta")
        shape: torch.Size = functional_call(backbone, tensors, (pictures,)).shape
    return shape


@contextmanager
def evaluating(network: nn.Module) -> Iterator[nn.Module]:
    """Has a network in evaluation mode for a while; then each of its layers is in the mode that it was in."""
    modes = {layer: layer.training for layer in network.modules()}
    try:
        yield network.eval()
    finally:
        for layer, mode in modes.items():
            layer.training = mode


def _name(backbone: nn.Module) -> str:
    wanted = config_of(backbone).get("input_size")
    return f"{name_of(backbone)} (made for {wanted[1]} x {wanted[2]})" if wanted else name_of(backbone)
