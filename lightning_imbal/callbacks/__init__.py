"""Callbacks that record what a run found, or take part in its training."""

from lightning_imbal.callbacks.class_panels import ClassF1Panels
from lightning_imbal.callbacks.divergence import DivergenceGuard
from lightning_imbal.callbacks.epoch_start import EpochStart
from lightning_imbal.callbacks.plateau import PlateauSteps
from lightning_imbal.callbacks.proxy_cycle import ProxyCycleUpdate
from lightning_imbal.callbacks.results_writer import ResultsWriter
from lightning_imbal.callbacks.test_features import SaveFeatures
from lightning_imbal.callbacks.warmup import LinearWarmup

__all__ = [
    "ClassF1Panels",
    "DivergenceGuard",
    "EpochStart",
    "LinearWarmup",
    "PlateauSteps",
    "ProxyCycleUpdate",
    "ResultsWriter",
    "SaveFeatures",
]
