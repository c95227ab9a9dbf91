"""Losses: torch only, one per file."""

from lightning_imbal.losses.base import ImbalancedLoss
from lightning_imbal.losses.cross_entropy import CrossEntropy
from lightning_imbal.losses.supcon import SupConLoss
from lightning_imbal.losses.weights import effective_number_weights, inverse_frequency_weights

__all__ = [
    "CrossEntropy",
    "ImbalancedLoss",
    "SupConLoss",
    "effective_number_weights",
    "inverse_frequency_weights",
]
