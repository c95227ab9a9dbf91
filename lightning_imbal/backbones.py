"""Feature extractors from timm, with random, fetched or local weights."""

from difflib import get_close_matches
from pathlib import Path

import timm
from torch import nn

from lightning_imbal.errors import UserError


def create_backbone(name: str, pretrained: bool | str = False) -> nn.Module:
    """Builds a timm network without its classifier: images (B, 3, H, W) to features (B, D).

    Args:
        name: A timm model name, such as `resnet50`.
        pretrained: True lets timm fetch its weights; a path loads a local .safetensors or .pth file.

    Raises:
        UserError: The name is unknown, or the weights cannot be had or do not fit.
    """
    if not timm.is_model(name):
        similar = get_close_matches(name, timm.list_models(), n=3)
        hint = f"did you mean {' or '.join(similar)}?" if similar else "timm.list_models() lists the names."
        raise UserError(f"There is no backbone named {name!r}: {hint}")
    if isinstance(pretrained, str):
        return _load_local(timm.create_model(name, num_classes=0), name, Path(pretrained).expanduser())
    try:
        return timm.create_model(name, pretrained=pretrained, num_classes=0)
    except (OSError, RuntimeError) as error:
        if not pretrained:
            raise
        raise UserError(
            f"The pretrained weights of {name} could not be fetched ({type(error).__name__}): connect to the network, "
            "or give a local file with --model.pretrained path/to/weights.safetensors."
        ) from error


def feature_size(backbone: nn.Module) -> int:
    """Number of features D that a backbone gives."""
    return getattr(backbone, "head_hidden_size", None) or backbone.num_features


def _load_local(backbone: nn.Module, name: str, path: Path) -> nn.Module:
    if not path.is_file():
        raise UserError(f"There are no weights at {path}: give an existing .safetensors or .pth file as pretrained.")
    try:
        missing, unexpected = timm.models.load_checkpoint(backbone, str(path), strict=False)
    except (RuntimeError, OSError, ValueError) as error:
        raise UserError(f"The weights in {path} do not fit {name}: give the weights of that network.") from error
    classifier = set(backbone.default_cfg.get("classifier", "fc").split())
    foreign = [key for key in unexpected if key.rsplit(".", 1)[0] not in classifier]
    if missing or foreign:
        raise UserError(
            f"The weights in {path} do not fit {name}: {len(missing)} tensors are missing and {len(foreign)} unknown "
            f"(such as {(missing + foreign)[0]}); give the weights of that network."
        )
    return backbone
