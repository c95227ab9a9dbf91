"""Feature extractors: pictures in, one feature out."""

from lightning_imbal.backbones.create import create_backbone, feature_size
from lightning_imbal.backbones.tuning import BitFit, Tuning
from lightning_imbal.backbones.tuning_peft import IA3, LoRA
from lightning_imbal.backbones.twin import TwinBlock, twin_last_block

__all__ = ["IA3", "BitFit", "LoRA", "Tuning", "TwinBlock", "create_backbone", "feature_size", "twin_last_block"]
