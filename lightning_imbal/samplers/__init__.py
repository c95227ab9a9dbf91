"""Samplers that balance classes, or compose batches of them."""

from lightning_imbal.samplers.base import EpochSampler
from lightning_imbal.samplers.class_blocks import ClassBlocks
from lightning_imbal.samplers.class_power import ClassPower
from lightning_imbal.samplers.deferred_balance import DeferredBalance
from lightning_imbal.samplers.group_balanced import GroupBalanced
from lightning_imbal.samplers.oversample_to_max import OversampleToMax
from lightning_imbal.samplers.pk_batches import PKBatches
from lightning_imbal.samplers.progressive_balance import ProgressiveBalance
from lightning_imbal.samplers.reversed import Reversed
from lightning_imbal.seeding import epoch_generator, run_seed

__all__ = [
    "ClassBlocks",
    "ClassPower",
    "DeferredBalance",
    "EpochSampler",
    "GroupBalanced",
    "OversampleToMax",
    "PKBatches",
    "ProgressiveBalance",
    "Reversed",
    "epoch_generator",
    "run_seed",
]
