"""Weights of a backbone from a local file."""

import pickle
from collections import Counter
from collections.abc import Container, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.utilities import rank_zero_info
from timm.models import load_state_dict
from torch import Tensor, nn

from lightning_imbal.errors import UserError
from lightning_imbal.wording import number_of

# Where checkpoints of others keep the tensors; averages first, as timm has it.
INSIDE = ("state_dict_ema", "model_ema", "state_dict", "model", "model_state_dict", "teacher", "student", "net")
COUNTED = "num_batches_tracked"  # which older files lack or have as (1,), and nothing depends on
NAMED = 3  # tensors that are named in a message
STARTS_OF_TORCH = (b"PK", b"\x80\x02")
START_OF_LFS = b"version https://git-lfs"


def config_of(backbone: nn.Module) -> dict[str, Any]:
    """What timm knows of a network, such as its `input_size`; nothing of one that is not timm's."""
    return getattr(backbone, "default_cfg", {})


def load_local(backbone: nn.Module, name: str, path: Path) -> nn.Module:
    """Loads weights from a file: of the network alone, or of a checkpoint that it is a part of.

    What comes before the names of its tensors, such as `module.` or `model.backbone.`, is found by what fits most of
    them. What else the file holds, such as a classifier or a projection, is left out, and this is said.

    Args:
        backbone: The network.
        name: What it is called in messages.
        path: A .safetensors, .pt, .pth or .ckpt file; no code that it may hold is run.

    Raises:
        UserError: There is no such file, it is damaged, or it is of another network.
    """
    if not path.is_file():
        raise UserError(
            f"There are no weights at {path}: give an existing .safetensors, .pth, .pt or .ckpt file as pretrained."
        )
    state, wanted = _read(path), backbone.state_dict()
    prefix = _prefix(state, wanted)
    found = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
    fitting = {key: value for key, value in found.items() if key in wanted}
    missing = [key for key in wanted if key not in found and not key.endswith(COUNTED)]
    parts = {key.partition(".")[0] for key in wanted}
    # More blocks in a part that the network has too are those of a larger one.
    foreign = [key for key in found if key not in wanted and key.partition(".")[0] in parts]
    other = [key for key in fitting if fitting[key].shape != wanted[key].shape and not key.endswith(COUNTED)]
    if missing or foreign or other:
        raise UserError(
            f"The weights in {path} do not fit {name}: {len(missing)} tensors are missing, {len(foreign)} unknown and "
            f"{len(other)} of another shape (such as {(missing + foreign + other)[0]}; the file has "
            f"{next(iter(state))}): give the weights of that network."
        )
    backbone.load_state_dict(fitting, strict=False)
    if left_out := [key for key in state if key.removeprefix(prefix) not in fitting or not key.startswith(prefix)]:
        _say(
            f"Weights: {path} also holds {number_of(len(left_out), 'tensor')} that {name} has not, left out: ", left_out
        )
    return backbone


def _read(path: Path) -> dict[str, Tensor]:
    """The tensors of a file by their names.

    Raises:
        UserError: It holds none, or more than numbers and text.
    """
    try:
        safe = path.suffix == ".safetensors"
        content = load_state_dict(str(path)) if safe else torch.load(path, "cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if path.read_bytes()[:2] in STARTS_OF_TORCH:
            raise UserError(
                f"{path} holds more than numbers and text, which may be code and is not run: if you trust it, save its "
                'weights alone, torch.save(torch.load(FILE, weights_only=False)["state_dict"], "weights.pth").'
            ) from error
        raise UserError(f"{path} holds no weights: {_fault(path)}.") from error
    except Exception as error:  # safetensors and torch each have errors of their own
        raise UserError(f"{path} holds no weights: {_fault(path)}.") from error
    while isinstance(content, dict) and (inner := next((each for each in INSIDE if _is_dict(content, each)), None)):
        content = content[inner]
    state = {key: value for key, value in content.items() if isinstance(value, Tensor)} if _is_dict(content) else {}
    if not state:
        raise UserError(f"{path} holds no weights: it has no tensors by name; save the state_dict of a network.")
    return state


def _is_dict(content: Any, key: str | None = None) -> bool:
    return isinstance(content, dict) and (key is None or isinstance(content.get(key), dict))


def _prefix(state: Iterable[str], wanted: Container[str]) -> str:
    """What comes before the names of most of the tensors of a network; of several the first, such as a student's."""
    fits = Counter(
        key[:place]
        for key in state
        for place in [0, *(dot + 1 for dot, letter in enumerate(key) if letter == ".")]
        if key[place:] in wanted
    )
    return fits.most_common(1)[0][0] if fits else ""


@cache
def _said(sentence: str) -> None:
    rank_zero_info(sentence)


def _say(sentence: str, names: Sequence[str]) -> None:
    """Says once, however often a network is built, what was left out."""
    _said(sentence + ", ".join(names[:NAMED]) + (", ..." if len(names) > NAMED else "") + ".")


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
