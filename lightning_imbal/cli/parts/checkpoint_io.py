"""Checkpoints that appear whole, on any file system."""

import io
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.plugins.io import TorchCheckpointIO

from lightning_imbal.atomic_files import write_whole


class WholeCheckpoints(TorchCheckpointIO):
    """Writes a checkpoint beside its place, then renames it.

    That of Lightning goes by the folder of temporary files: on another file system, the last good checkpoint is
    overwritten piece by piece, and lost if the disk fills up or the process is killed meanwhile.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:
        """Saves a checkpoint; one that a callback of the user sends to a remote place goes as Lightning does it."""
        if storage_options is not None or "://" in str(path):
            super().save_checkpoint(checkpoint, path, storage_options)
            return
        content = io.BytesIO()  # torch hides a full disk behind an error of its own
        torch.save(checkpoint, content)
        write_whole(Path(path), lambda file: file.write_bytes(content.getbuffer()))
