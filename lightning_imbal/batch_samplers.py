"""Where configurations that were saved earlier name two samplers; they are in `samplers/`."""

from lightning_imbal.samplers.class_blocks import ClassBlocks
from lightning_imbal.samplers.pk_batches import PKBatches

__all__ = ["ClassBlocks", "PKBatches"]
