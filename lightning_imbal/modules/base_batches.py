"""Batches of any loader: dicts, or images and labels side by side."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from lightning_imbal.contract import Batch
from lightning_imbal.data.normalize import Normalize
from lightning_imbal.errors import UserError
from lightning_imbal.metrics.report import ImbalReport

NAMES = ("image", "label", "index")


def as_batch(batch: Any) -> Batch:
    """A batch as modules take it.

    Args:
        batch: A mapping, images alone, or images, labels and, where known, row numbers side by side; labels and row
            numbers may be lists or arrays.

    Raises:
        UserError: It is none of these.
    """
    if isinstance(batch, Tensor):
        batch = [batch]
    if isinstance(batch, Sequence) and not isinstance(batch, str) and 1 <= len(batch) <= len(NAMES):
        batch = dict(zip(NAMES, batch, strict=False))
    if not isinstance(batch, Mapping):
        raise UserError("A batch must be a dict with image and label, or images and labels side by side.")
    tensors = {name: torch.as_tensor(value) for name, value in batch.items() if name in NAMES}
    other = {"other": as_batch(batch["other"])} if "other" in batch else {}
    return {**batch, **tensors, **other}  # type: ignore[typeddict-item]  # mypy does not follow a mapping


def as_floats(batch: Batch, normalization: dict[str, Tensor] | None, dtype: torch.dtype) -> Batch:
    """A batch whose pictures, if no DataModule has normalised them, are normalised as those of the training.

    Args:
        batch: Of any loader.
        normalization: State of `Normalize`, if it is known.
        dtype: What the pictures become.

    Raises:
        UserError: They are bytes, and how they are normalised is not known.
    """
    image = batch.get("image")
    if image is None or image.is_floating_point():
        return batch
    if normalization is None:
        raise UserError(
            f"The images are {image.dtype}, and how to normalise them is not known: let the loader give floats, or "
            "give the Trainer a DataModule."
        )
    normalize = Normalize()
    normalize.load_state_dict(normalization)
    return normalize.batch(batch, dtype)


def index_of(batch: Batch, report: ImbalReport, rank: int, devices: int) -> Tensor:
    """The rows (B,) of a batch's images; where it does not know them, each image that a report gets is another one."""
    if "index" in batch:
        return batch["index"]
    seen, label = sum(map(len, report.index)), batch["label"]
    return (seen + torch.arange(len(label), device=label.device)) * devices + rank
