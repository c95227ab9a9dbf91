"""LightningModules: one paper or method per file."""

from lightning_imbal.modules.base import ImbalClassifier, ImbalModule
from lightning_imbal.modules.classifier import Classifier
from lightning_imbal.modules.frozen_head import FrozenHead
from lightning_imbal.modules.supcon import SupConRepresentation

__all__ = ["Classifier", "FrozenHead", "ImbalClassifier", "ImbalModule", "SupConRepresentation"]
