"""What a second stage takes over from the first: its backbone, and its classifier if it keeps that."""

from copy import deepcopy
from pathlib import Path

from torch import nn

from lightning_imbal.errors import UserError
from lightning_imbal.modules.base import ImbalModule
from lightning_imbal.modules.base_checkpoint import first_stage_state
from lightning_imbal.modules.base_metadata import WithMetadata


def check_backbone(earlier: ImbalModule, backbone: nn.Module) -> None:
    """Refuses a first stage with another backbone than that of the second.

    Raises:
        UserError: They are different networks.
    """
    before, now = (
        {key: value.shape for key, value in network.state_dict().items()} for network in (earlier.backbone, backbone)
    )
    if before != now:
        raise UserError(
            f"The second stage has another backbone than {type(earlier).__name__} trains: set the same one in both "
            "(BBN, which doubles the last block, can have no second stage)."
        )


def check_metadata(earlier: ImbalModule, later: WithMetadata) -> None:
    """Refuses a second stage that looks at attributes otherwise than the first.

    Raises:
        UserError: Only one of them does, or by another perceptron, or by other columns or training images.
    """
    before = earlier if isinstance(earlier, WithMetadata) else None
    sizes = [stage.features_beside if stage else 0 for stage in (before, later)]
    if sizes[0] != sizes[1]:
        raise UserError(
            f"The first stage makes {sizes[0]} features of attributes of an image, and the second takes {sizes[1]}: "
            "leave model.metadata_size of the second stage out."
        )
    if before and sizes[0] and before.metadata_encoding != later.metadata_encoding:
        raise UserError(
            "The second stage has other attributes of the images (data.metadata_columns), or another training part, "
            "than the first: give both stages the same."
        )


def check_head(earlier: ImbalModule, head: nn.Module) -> None:
    """Refuses a first stage whose classifier a head cannot start from.

    Raises:
        UserError: There is no classifier, or one of another kind.
    """
    if not earlier.classifies:
        raise UserError(f"{type(earlier).__name__} has no classifier for the second stage to keep: set init: new.")
    try:
        deepcopy(head).load_state_dict(earlier.get_submodule("head").state_dict())
    except RuntimeError as error:
        before, now = type(earlier.head).__name__, type(head).__name__
        raise UserError(
            f"The second stage cannot keep the classifier of the first: {before} is no {now}; "
            "choose the same head in both, or set init: new."
        ) from error


def load_parts(checkpoint: Path, parts: dict[str, nn.Module], check_only: bool = False) -> None:
    """Loads parts of a network, by their names, from the checkpoint of a first stage.

    Args:
        checkpoint: Its file.
        parts: By their names in it.
        check_only: Whether they stay as they are, and only what would not fit is refused.

    Raises:
        UserError: There is no such file, it is damaged, or a part does not fit.
    """
    state = first_stage_state(checkpoint, parts)
    for name, part in parts.items():
        weights = {key.removeprefix(f"{name}."): value for key, value in state.items() if key.startswith(f"{name}.")}
        try:
            (deepcopy(part) if check_only else part).load_state_dict(weights)
        except RuntimeError as error:
            raise UserError(
                f"The {name} in {checkpoint} is not the {name} of this stage: "
                "set the same backbone and head in both stages, or init: new."
            ) from error
