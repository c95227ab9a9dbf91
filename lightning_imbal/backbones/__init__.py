"""Feature extractors: pictures in, one feature out."""

from lightning_imbal.backbones.create import create_backbone, feature_size
from lightning_imbal.backbones.twin import TwinBlock, twin_last_block

__all__ = ["TwinBlock", "create_backbone", "feature_size", "twin_last_block"]
