"""LightningModules: one paper or method per file."""

from lightning_imbal.modules.balanced_mixup import BalancedMixUpClassifier
from lightning_imbal.modules.base import ImbalModule
from lightning_imbal.modules.base_classifier import ImbalClassifier
from lightning_imbal.modules.bbn import BBN
from lightning_imbal.modules.bcl import BCL
from lightning_imbal.modules.classifier import Classifier
from lightning_imbal.modules.ecl import ECL
from lightning_imbal.modules.frozen_head import FrozenHead
from lightning_imbal.modules.hybrid_sc import HybridSC
from lightning_imbal.modules.metadata_classifier import MetadataClassifier
from lightning_imbal.modules.metric_learning import MetricLearningClassifier
from lightning_imbal.modules.perturbed import PerturbedClassifier
from lightning_imbal.modules.scl import SCL
from lightning_imbal.modules.supcon import SupConRepresentation
from lightning_imbal.modules.tsc import TSC

__all__ = [
    "BBN",
    "BCL",
    "ECL",
    "SCL",
    "TSC",
    "BalancedMixUpClassifier",
    "Classifier",
    "FrozenHead",
    "HybridSC",
    "ImbalClassifier",
    "ImbalModule",
    "MetadataClassifier",
    "MetricLearningClassifier",
    "PerturbedClassifier",
    "SupConRepresentation",
]
