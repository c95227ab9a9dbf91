"""Losses: torch only, one per file."""

from lightning_imbal.losses.base import ImbalancedLoss
from lightning_imbal.losses.bcl import BCLLoss
from lightning_imbal.losses.bhp import BHPLoss, hybrid_proxy_counts
from lightning_imbal.losses.bwce import BWCE
from lightning_imbal.losses.center import CenterLoss
from lightning_imbal.losses.coral import CoralLoss
from lightning_imbal.losses.corn import CornLoss
from lightning_imbal.losses.cost_sensitive import CostSensitive
from lightning_imbal.losses.cross_entropy import CrossEntropy
from lightning_imbal.losses.deferred import Deferred
from lightning_imbal.losses.focal import ClassBalancedFocal, Focal
from lightning_imbal.losses.ldam import LDAM
from lightning_imbal.losses.logit_adjusted import LogitAdjusted
from lightning_imbal.losses.metric_terms import CenterTerm, ContrastTerm, MetricTerm, TripletTerm
from lightning_imbal.losses.mwnl import MWNL
from lightning_imbal.losses.ohem import OHEM
from lightning_imbal.losses.projection import Projection
from lightning_imbal.losses.sord import SORD
from lightning_imbal.losses.supcon import SupConLoss
from lightning_imbal.losses.triplet import TripletLoss
from lightning_imbal.losses.tsc import TSCLoss, simplex_targets
from lightning_imbal.losses.weights import effective_number_weights, inverse_frequency_weights

__all__ = [
    "BWCE",
    "LDAM",
    "MWNL",
    "OHEM",
    "SORD",
    "BCLLoss",
    "BHPLoss",
    "CenterLoss",
    "CenterTerm",
    "ClassBalancedFocal",
    "ContrastTerm",
    "CoralLoss",
    "CornLoss",
    "CostSensitive",
    "CrossEntropy",
    "Deferred",
    "Focal",
    "ImbalancedLoss",
    "LogitAdjusted",
    "MetricTerm",
    "Projection",
    "SupConLoss",
    "TSCLoss",
    "TripletLoss",
    "TripletTerm",
    "effective_number_weights",
    "hybrid_proxy_counts",
    "inverse_frequency_weights",
    "simplex_targets",
]
