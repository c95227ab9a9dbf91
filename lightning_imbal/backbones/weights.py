"""Weights of a backbone from a local file."""

from pathlib import Path
from typing import Any

import timm
from torch import nn

from lightning_imbal.errors import UserError

START_OF_LFS = b"version https://git-lfs"


def config_of(backbone: nn.Module) -> dict[str, Any]:
    """What timm knows of a network, such as its `input_size`; nothing of one that is not timm's."""
    return getattr(backbone, "default_cfg", {})


def load_local(backbone: nn.Module, name: str, path: Path) -> nn.Module:
    """Loads weights from a file; UserError if there is none, it is damaged, or it is of another network."""
    if not path.is_file():
        raise UserError(f"There are no weights at {path}: give an existing .safetensors or .pth file as pretrained.")
    try:
        state = timm.models.load_state_dict(str(path), weights_only=True)
    except Exception as error:  # safetensors, pickle and torch each have errors of their own
        raise UserError(f"{path} holds no weights: {_fault(path)}.") from error
    try:
        missing, unexpected = backbone.load_state_dict(state, strict=False)
    except RuntimeError as error:
        raise UserError(f"The weights in {path} do not fit {name}: give the weights of that network.") from error
    classifier = set(config_of(backbone).get("classifier", "fc").split())
    foreign = [key for key in unexpected if key.rsplit(".", 1)[0] not in classifier]
    if missing or foreign:
        raise UserError(
            f"The weights in {path} do not fit {name}: {len(missing)} tensors are missing and {len(foreign)} unknown "
            f"(such as {(missing + foreign)[0]}); give the weights of that network."
        )
    return backbone


def _fault(path: Path) -> str:
    """Why a file cannot be read as weights, and the mend."""
    with path.open("rb") as file:
        start = file.read(256)
    if not start:
        return "it is empty; get the file again"
    if start.startswith(START_OF_LFS):
        return "it is a pointer of Git LFS to the file; fetch it with git lfs pull"
    if start.lstrip()[:1] == b"<":
        return "it is a web page; get the file itself, such as by the link that downloads it"
    return "it is cut off, damaged, or neither .safetensors nor a state_dict without code in .pth; get the file again"
