"""Networks that are built for pictures of one size, and the sizes that they can be built for."""

from collections.abc import Callable, Iterator

from torch import nn

from lightning_imbal.backbones.trial import evaluating, fault_of
from lightning_imbal.errors import UserError

STEP = 32  # pixels; most networks without patches halve a picture five times
TRIED = 3  # sizes in either direction
BUILDING = (RuntimeError, AssertionError, ValueError, ZeroDivisionError)  # by which timm's networks refuse a size


def built_for(
    build: Callable[[int], nn.Module], of_shapes: Callable[[int], nn.Module], name: str, size: int
) -> nn.Module:
    """Builds a network for pictures of a size, and sees that it can take them.

    Args:
        build: From the side of a picture, in pixels, to the network.
        of_shapes: The same without weights, on torch's device `meta`, for the search of other sizes.
        name: What it is called in messages.
        size: Side of the pictures, in pixels.

    Raises:
        UserError: It cannot take them; the message names the nearest sizes that it takes.
    """
    patch = 0
    try:
        network = build(size)
        patch, fault = patch_size(network), _fault(network, size)
    except BUILDING as error:
        if _taken(of_shapes, size):  # so that it is not the size
            raise
        fault = str(error)
    if not fault:
        network.built_size = (size, size)  # type: ignore[assignment]  # no part of the network
        return network
    sizes = _sizes_taken(of_shapes, size, patch)
    said = "size that it takes is" if len(sizes) == 1 else "sizes that it takes are"
    nearest = f"the nearest {said} {' and '.join(map(str, sizes))}" if sizes else "set another one"
    raise UserError(
        f"{name} cannot take pictures of {size} x {size} pixels ({' '.join(fault.split()).rstrip('.')}): "
        f"{nearest} (data.image_size)."
    )


def built_size(backbone: nn.Module) -> tuple[int, int] | None:
    """Height and width that a network was built for, in pixels; None if it does not say, as where it takes any."""
    size = getattr(getattr(backbone, "patch_embed", None), "img_size", None)
    return (int(size[0]), int(size[1])) if isinstance(size, tuple | list) else getattr(backbone, "built_size", None)


def patch_size(backbone: nn.Module) -> int:
    """Side of the patches that a network cuts a picture into, in pixels; 0 if it cuts none."""
    patches = getattr(backbone, "patch_embed", None)
    size = getattr(patches, "patch_size", 0)
    padded = getattr(patches, "dynamic_img_pad", False)
    return 0 if padded else int(size[0]) if isinstance(size, tuple | list) else int(size or 0)


def _fault(network: nn.Module, size: int) -> str:
    """Why a network cannot take pictures of a size; empty if it can."""
    if (patch := patch_size(network)) and size % patch:
        return f"its patches have {patch} x {patch}"  # timm would leave out what is over
    with evaluating(network):
        error = fault_of(network, size, 2)
    return (str(error) or type(error).__name__) if error else ""


def _sizes_taken(build: Callable[[int], nn.Module], size: int, patch: int) -> list[int]:
    """The nearest smaller and larger size that a network can be built for, as far as they are found."""
    found = (next(filter(None, (_taken(build, each) for each in some)), 0) for some in _near(size, patch or STEP))
    return [each for each in found if each]


def _near(size: int, step: int) -> Iterator[list[int]]:
    below = size - size % step if size % step else size - step
    yield [each for each in range(below, 0, -step)][:TRIED]
    yield [size - size % step + step * number for number in range(1, TRIED + 1)]


def _taken(build: Callable[[int], nn.Module], size: int) -> int:
    try:
        return 0 if _fault(build(size), size) else size
    except Exception:  # each network has its own
        return 0
