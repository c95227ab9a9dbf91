"""The weights that a run starts from, where its configuration leaves that to what can be had, and their colours."""

from collections.abc import Sequence
from pathlib import Path

from jsonargparse import Namespace
from lightning.pytorch.utilities import rank_zero_info

from lightning_imbal.backbones.create import create_backbone, weights_normalization
from lightning_imbal.backbones.fetch import cached_weights
from lightning_imbal.backbones.named import FOLDER, is_network, parted
from lightning_imbal.data.normalize import IMAGENET_MEAN, IMAGENET_STD
from lightning_imbal.errors import UserError
from lightning_imbal.modules.base_normalization import checkpoint_normalization
from lightning_imbal.runs.stage import Stage

OF_COLOURS = {"mean": IMAGENET_MEAN, "std": IMAGENET_STD}  # without weights
LEFT_OPEN = ("local", "auto")
COST = (
    "few images teach a network little from scratch (414 of ISIC 2018, by the small variant, to a macro F1 of 0.23 "
    "instead of 0.30). A file of weights is given as --model.pretrained=FILE."
)


def choose_weights(config: Namespace, trained: bool = False) -> None:
    """Resolves a `pretrained` that leaves open what it is, and says what it has become.

    `local` is weights/<backbone>*.safetensors beside the data set's folder, else False. `auto` is that file, else True
    if timm's weights are in its cache or can be fetched (which is given up after 4 seconds without an answer), else
    False. A `local-dir:` backbone has its weights beside it: both are True.

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
    if not own and not is_network(name):
        return  # which is refused where it is built
    source, place = parted(name)
    if source == FOLDER:
        model.pretrained = True
        return
    found = sorted(folder.glob(f"{place.rpartition('/')[2]}*.safetensors"))
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
    of_timm = f"timm's of {name}, {'fetched before' if cached else 'fetched now'}"
    rank_zero_info(f"Weights: {of_timm if not parted(name)[0] else f'those of {name}'}.")
    return True


def choose_normalization(config: Namespace, stage: Path | None = None) -> None:
    """Resolves a mean and standard deviation that were left open: those that the weights were trained with.

    A stage that goes on keeps its own, and a second stage those of the first. Weights of a local file are taken to be
    normalised as timm's of that network. What is taken is said, and where others were set than timm's weights have.

    Args:
        config: That of the first stage.
        stage: Its folder, if it may go on.
    """
    data, begun = config.data.init_args, Stage(stage) if stage else None
    left_open = [name for name in OF_COLOURS if name in data and data[name] is None]
    if config.ckpt_path is not None and begun and begun.config_file.is_file():
        before, known = begun.config()["data"]["init_args"], None
        taken = {name: before.get(name) for name in left_open}
    else:
        known, whose = _of_weights(config)
        taken = dict(zip(OF_COLOURS, known or (IMAGENET_MEAN, IMAGENET_STD), strict=True))
    for name in left_open:
        data[name] = tuple(taken[name] or OF_COLOURS[name])
    if known is None or "mean" not in data:
        return
    numbers = f"mean {_short(known[0])} and standard deviation {_short(known[1])}"
    if left_open:
        rank_zero_info(f"Pictures are normalised as for {whose}: {numbers}.")
    elif not isinstance(config.model.init_args.get("pretrained"), str) and _differ(data, known):
        rank_zero_info(
            f"Pictures are normalised by mean {_short(data.mean)} and standard deviation {_short(data.std)}, but "
            f"{whose} were trained with {numbers}: --data.mean null --data.std null takes those."
        )


def _of_weights(config: Namespace) -> tuple[Sequence[Sequence[float]] | None, str]:
    """Mean and standard deviation of what a stage starts from, and what that is; None if nothing is known."""
    model = config.model.init_args
    if checkpoint := model.get("backbone_ckpt"):
        return checkpoint_normalization(checkpoint), f"the weights of {checkpoint}"
    pretrained, backbone = model.get("pretrained"), model.get("backbone")
    if not pretrained or not isinstance(backbone, str) or not is_network(backbone):
        return None, ""
    return weights_normalization(backbone), f"the weights of {backbone}"


def _differ(data: Namespace, taken: Sequence[Sequence[float]]) -> bool:
    pairs = zip([*data.mean, *data.std], [*taken[0], *taken[1]], strict=True)
    return any(abs(one - other) > 1e-3 for one, other in pairs)


def _short(numbers: Sequence[float]) -> str:
    return "/".join(f"{number:.4g}" for number in numbers)
