"""Weights of a backbone from a local file."""

from pathlib import Path
from typing import Any

import timm
from torch import nn

from lightning_imbal.errors import UserError


def config_of(backbone: nn.Module) -> dict[str, Any]:
    """What timm knows of a network, such as its `input_size`."""
    return backbone.default_cfg  # type: ignore[return-value]  # timm gives it to each


def load_local(backbone: nn.Module, name: str, path: Path) -> nn.Module:
    """Loads weights from a file; UserError if there is none, or it is of another network."""
    if not path.is_file():
        raise UserError(f"There are no weights at {path}: give an existing .safetensors or .pth file as pretrained.")
    try:
        missing, unexpected = timm.models.load_checkpoint(backbone, str(path), strict=False)
    except (RuntimeError, OSError, ValueError) as error:
        raise UserError(f"The weights in {path} do not fit {name}: give the weights of that network.") from error
    classifier = set(config_of(backbone).get("classifier", "fc").split())
    foreign = [key for key in unexpected if key.rsplit(".", 1)[0] not in classifier]
    if missing or foreign:
        raise UserError(
            f"The weights in {path} do not fit {name}: {len(missing)} tensors are missing and {len(foreign)} unknown "
            f"(such as {(missing + foreign)[0]}); give the weights of that network."
        )
    return backbone
