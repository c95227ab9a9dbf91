"""What timm knows of a network."""

from typing import Any

from torch import nn


def config_of(backbone: nn.Module) -> dict[str, Any]:
    """What timm knows of a network, such as its `input_size`; nothing of one that is not timm's."""
    return getattr(backbone, "default_cfg", {})


def layers_of(backbone: nn.Module, key: str) -> tuple[str, ...]:
    """Names of the layers that timm lists under a key, such as `classifier` and `first_conv`."""
    found = config_of(backbone).get(key) or ()
    return (found,) if isinstance(found, str) else tuple(found)


def name_of(backbone: nn.Module) -> str:
    """What a network is called in messages."""
    return str(config_of(backbone).get("architecture", type(backbone).__name__))
