"""How the tokens or pixels of a network become one feature."""

from torch import nn

from lightning_imbal.backbones.sizes import built_size
from lightning_imbal.backbones.trial import evaluating, shape_of_features
from lightning_imbal.errors import UserError

WORDS = {"token": "class token", "avg": "mean pooling", "map": "attention pooling"}


def set_pooling(backbone: nn.Module, name: str, pooling: str, features: int) -> None:
    """Changes how a timm network pools, after its weights are loaded: its last normalisation stays as it was trained.

    Args:
        backbone: The network; it is changed.
        name: What it is called in messages.
        pooling: `token`, the class token; `avg`, the mean; `map`, attention, which the network was built with.
        features: Number of features D that it gives.

    Raises:
        UserError: It has no such pooling.
    """
    try:
        # Some versions of timm would take the first patch.
        if pooling == "token" and getattr(backbone, "cls_token", None) is None:
            raise ValueError("no class token")
        backbone.reset_classifier(0, pooling)  # type: ignore[operator]  # of timm's networks
        side, _ = built_size(backbone) or (224, 224)
        with evaluating(backbone):
            shape = shape_of_features(backbone, side, 2)
        if tuple(shape) != (2, features):
            raise ValueError(f"features of the shape {tuple(shape)}")
    except (AttributeError, AssertionError, TypeError, ValueError, RuntimeError) as error:
        raise UserError(f"{name} has no {WORDS[pooling]}: leave model.pooling out, or set another one.") from error
