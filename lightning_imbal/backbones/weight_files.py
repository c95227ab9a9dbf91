"""Tensors of a file of weights, by their names."""

import pickle
from argparse import Namespace
from pathlib import Path
from typing import Any

import torch
from timm.models import load_state_dict
from torch import Tensor

from lightning_imbal.errors import UserError

# Where checkpoints of others keep the tensors; averages first, as timm has it.
INSIDE = ("state_dict_ema", "model_ema", "state_dict", "model", "model_state_dict", "teacher", "student", "net")
STARTS_OF_TORCH = (b"PK", b"\x80\x02")
START_OF_LFS = b"version https://git-lfs"


def read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a file by their names.

    Raises:
        UserError: It holds none, or more than numbers and text.
    """
    try:
        safe = path.suffix == ".safetensors"
        with torch.serialization.safe_globals([Namespace]):  # options beside the weights, of many programs
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
