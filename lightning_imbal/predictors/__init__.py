"""How a trained network is asked for logits at inference."""

from lightning_imbal.predictors.base import Predictor, PredictorFactory
from lightning_imbal.predictors.dihedral_tta import DihedralTTA
from lightning_imbal.predictors.flip_tta import FlipTTA
from lightning_imbal.predictors.perturbed_input import PerturbedInput
from lightning_imbal.predictors.plain import Plain
from lightning_imbal.predictors.posthoc_adjusted import PostHocAdjusted
from lightning_imbal.predictors.temperature import TemperatureScaled

__all__ = [
    "DihedralTTA",
    "FlipTTA",
    "PerturbedInput",
    "Plain",
    "PostHocAdjusted",
    "Predictor",
    "PredictorFactory",
    "TemperatureScaled",
]
