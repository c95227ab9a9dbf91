"""Opens a checkpoint: one that is cut off, damaged or no checkpoint is refused with one sentence."""

import pickle
import zipfile
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lightning_imbal.backbones.named import told_name
from lightning_imbal.errors import UserError

MEND = "give another one, or copy it again from where it is whole"
BEFORE_DEPTH = {
    "range": [0.0, 65535.0],
    "assumed": True,
}  # what was black and white in pictures of 16 bits, before it was found
FROZEN = "frozen"  # of a checkpoint of trained parts: the digest of the rest of the backbone
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


def forget_places(arguments: dict[str, Any], partial: bool = False) -> None:
    """Takes the files and folders that weights once came from out of the arguments of a module.

    Args:
        arguments: They are changed.
        partial: Whether its checkpoint holds only what was trained, so that weights are fetched again.
    """
    for name in {"pretrained", "backbone_ckpt"} & arguments.keys():
        arguments[name] = (partial and arguments[name] is True) if name == "pretrained" else None
    if isinstance(backbone := arguments.get("backbone"), str):
        arguments["backbone"] = told_name(backbone)


def load_weights(model: nn.Module, path: str | Path, mend: str = MEND) -> None:
    """Loads the weights of a whole network.

    Raises:
        UserError: The checkpoint cannot be used, or is that of another network.
    """
    state = completed(open_checkpoint(path, mend=mend), model.state_dict(), path)
    try:
        model.load_state_dict(state)
    except (RuntimeError, TypeError, AttributeError) as error:
        raise UserError(
            f"The checkpoint {path} is that of another network than is asked for: leave out what changes it, such as "
            f"another backbone or head, or {mend}."
        ) from error


def completed(
    checkpoint: Mapping[str, Any],
    own: Mapping[str, Tensor],
    path: str | Path = "",
    key: str = "state_dict",
    digest: str = "",
) -> dict[str, Tensor]:
    """The weights of a checkpoint; those that one of trained parts leaves out are a network's own.

    Args:
        checkpoint: Its content.
        own: The state of the network, which began with the same pretrained weights.
        path: Of the checkpoint, for messages.
        key: Which of its states.
        digest: That of what it would leave out itself, if it is known.

    Raises:
        UserError: The network began with other weights.
    """
    state: dict[str, Tensor] = checkpoint[key]
    if FROZEN not in checkpoint:
        return state
    left_out = {name: value for name, value in own.items() if name.startswith("backbone.") and name not in state}
    if checkpoint[FROZEN] != (digest or digest_of(left_out)):
        raise UserError(
            f"The checkpoint {path or 'to load'} holds only what was trained, and the rest of its backbone had other "
            "weights than these: give the same as model.pretrained, or put config.yaml of its run, which names them, "
            "beside it."
        )
    return left_out | state


def first_stage_state(checkpoint: Path, parts: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    """The tensors of a first stage; those that a checkpoint of trained parts leaves out are those of a network.

    Args:
        checkpoint: That of the first stage.
        parts: Those of the network that are to be taken from it, the backbone among them, by their names.

    Raises:
        UserError: There is no such file, it is damaged, or the network began with other weights.
    """
    own = {f"{name}.{key}": value for name, part in parts.items() for key, value in part.state_dict().items()}
    return completed(open_checkpoint(checkpoint, mend="give backbone_ckpt that of a first stage"), own, checkpoint)


def digest_of(tensors: Mapping[str, Tensor]) -> str:
    """A SHA-256 of tensors, their names, shapes and types."""
    digest = sha256()
    for name, value in sorted(tensors.items()):
        digest.update(f"{name} {tuple(value.shape)} {value.dtype}".encode())
        digest.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def is_partial(checkpoint: Mapping[str, Any]) -> bool:
    """Whether a checkpoint holds only what was trained."""
    return FROZEN in checkpoint


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
