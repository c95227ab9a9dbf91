"""Opens a checkpoint: one that is cut off, damaged or no checkpoint is refused with one sentence."""

import pickle
import zipfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import nn

from lightning_imbal.backbones.named import told_name
from lightning_imbal.errors import UserError

MEND = "give another one, or copy it again from where it is whole"
BEFORE_DEPTH = {
    "range": [0.0, 65535.0],
    "assumed": True,
}  # what was black and white in pictures of 16 bits, before it was found
START_OF_ZIP = b"PK\x03\x04"
START_BEFORE_ZIP = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # torch.save before PyTorch 1.6


def open_checkpoint(path: str | Path, keys: Sequence[str] = ("state_dict",), mend: str = MEND) -> dict[str, Any]:
    """The content of a checkpoint, its tensors mapped from the disk; no code that it may hold is run.

    Args:
        path: The file.
        keys: What it must hold.
        mend: What to do with one that cannot be used.

    Raises:
        UserError: It cannot be used; the message names it.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"There is no checkpoint {path}: {mend}.")
    found = path.stat()
    if fault := _fault(path, found.st_size, found.st_ctime_ns):
        raise UserError(f"The checkpoint {path} {fault}: {mend}.")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except pickle.UnpicklingError as error:
        raise UserError(
            f"The checkpoint {path} holds more than numbers and text, which may be code: {mend}."
        ) from error
    except (RuntimeError, ValueError, KeyError, OSError) as error:
        raise UserError(f"{path} is no checkpoint: {mend}.") from error
    absent = [key for key in keys if not (isinstance(content, dict) and key in content)]
    if absent:
        raise UserError(f"{path} has no {' and no '.join(absent)}, so it is no checkpoint of this program: {mend}.")
    return content


def depth_of(checkpoint: dict[str, Any]) -> dict[str, Any]:
    """How the pictures of more than 8 bits were read that a network has learned from, see `DeepData`."""
    return checkpoint.get("depth", BEFORE_DEPTH)


def forget_places(arguments: dict[str, Any]) -> None:
    """Takes the files and folders that weights once came from out of the arguments of a module."""
    for name in {"pretrained", "backbone_ckpt"} & arguments.keys():
        arguments[name] = False if name == "pretrained" else None
    if isinstance(backbone := arguments.get("backbone"), str):
        arguments["backbone"] = told_name(backbone)


def load_weights(model: nn.Module, path: str | Path, mend: str = MEND) -> None:
    """Loads the weights of a whole network.

    Raises:
        UserError: The checkpoint cannot be used, or is that of another network.
    """
    state = open_checkpoint(path, mend=mend)["state_dict"]
    try:
        model.load_state_dict(state)
    except (RuntimeError, TypeError, AttributeError) as error:
        raise UserError(
            f"The checkpoint {path} is that of another network than is asked for: leave out what changes it, such as "
            f"another backbone or head, or {mend}."
        ) from error


@cache
def _fault(path: Path, size: int, changed: int) -> str:
    """What is wrong with a file, which is read once as long as it does not change; empty if nothing is."""
    with path.open("rb") as file:
        start = file.read(len(START_BEFORE_ZIP))
    if not start:
        return "is empty"
    if start == START_BEFORE_ZIP:
        return "is in the format of PyTorch before 1.6, which is not read"
    if not start.startswith(START_OF_ZIP):
        return "is no checkpoint, or cut off at its first bytes"
    try:
        with zipfile.ZipFile(path) as archive:
            # torch itself compares no checksums of a file that is mapped.
            return "is damaged" if archive.testzip() else ""
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, NotImplementedError, ValueError):
        return "is cut off or damaged"
