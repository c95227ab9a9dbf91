"""The weights that a run starts from, where its configuration leaves that to what can be had."""

from pathlib import Path

import timm
from jsonargparse import Namespace
from lightning.pytorch.utilities import rank_zero_info

from lightning_imbal.backbones.create import create_backbone
from lightning_imbal.backbones.fetch import cached_weights
from lightning_imbal.errors import UserError

LEFT_OPEN = ("local", "auto")
COST = (
    "few images teach a network little from scratch (414 of ISIC 2018, by the small variant, to a macro F1 of 0.23 "
    "instead of 0.30). A file of weights is given as --model.pretrained=FILE."
)


def choose_weights(config: Namespace, trained: bool = False) -> None:
    """Resolves a `pretrained` that leaves open what it is, and says what it has become.

    `local` is weights/<backbone>*.safetensors beside the data set's folder, else False. `auto` is that file, else True
    if timm's weights are in its cache or can be fetched (which is given up after 4 seconds without an answer), else
    False.

    Args:
        config: That of the first stage.
        trained: Whether it goes on from a checkpoint, which has all weights unless only those that were trained.
    """
    model = config.model.init_args
    wanted = model.get("pretrained")
    if wanted not in LEFT_OPEN:
        return
    if trained and model.get("checkpoint_parts") != "trained":
        model.pretrained = False
        return
    folder = Path(config.data.init_args.get("root") or ".").expanduser().absolute().parent / "weights"
    own = not isinstance(model.backbone, str)
    name = model.backbone.class_path.rpartition(".")[2] if own else model.backbone
    if not own and not timm.is_model(name):
        return  # which is refused where it is built
    found = sorted(folder.glob(f"{name}*.safetensors"))
    if found:
        model.pretrained = str(found[0])
        rank_zero_info(f"Weights: {found[0]}")
    elif wanted == "auto" and not own and _can_be_had(name):
        model.pretrained = True
    else:
        model.pretrained = False
        timms = f", and timm's are neither in its cache nor to be fetched: {COST}" if wanted == "auto" else "."
        rank_zero_info(f"Weights: from scratch, {folder} has none of {name}{timms}")


def _can_be_had(name: str) -> bool:
    """Takes timm's weights from its cache, or fetches them once, for all runs that are about to start."""
    cached = cached_weights(name) is not None
    try:
        create_backbone(name, pretrained=True)
    except UserError:
        return False
    rank_zero_info(f"Weights: timm's of {name}, {'fetched before' if cached else 'fetched now'}.")
    return True
