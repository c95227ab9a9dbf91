"""What a run has where nothing is set is what the papers, or their released code, have: a default is a number too."""

from inspect import signature

import pytest

from lightning_imbal import data, heads, losses, mixers, modules, predictors, samplers, schedulers
from lightning_imbal.modules.base_contrastive import ContrastiveClassifier, ContrastiveRepresentation

DEFAULTS = {
    losses.BCLLoss: {"temperature": 0.1},
    losses.BHPLoss: {"temperature": 0.01},
    losses.BWCE: {"warm": 0.2, "balanced": 0.5, "reduction": "batch_mean"},
    losses.ClassBalancedFocal: {"beta": 0.9999, "gamma": 2.0, "form": "sigmoid"},
    losses.CoralLoss: {"importance": "uniform"},
    losses.CostSensitive: {"cost_weight": 10.0},
    losses.CrossEntropy: {"weight": "none", "power": 1.0, "reduction": "weighted_mean", "label_smoothing": 0.0},
    losses.Deferred: {"start": 0.8, "beta": 0.9999},
    losses.Focal: {"gamma": 2.0, "form": "softmax"},
    losses.LDAM: {"max_margin": 0.5, "scale": 30.0},
    losses.LogitAdjusted: {"tau": 1.0},
    losses.MWNL: {"gamma": 2.0, "weight_power": 1.2, "beta": 0.1, "clip": "fix", "start": 2 / 7, "full": 6 / 7},
    losses.OHEM: {"keep_ratio": 0.7, "min_kept": 1},
    losses.SORD: {"distance": "squared", "scale": 1.0},
    losses.SupConLoss: {"temperature": 0.1, "base_temperature": None},
    losses.TripletLoss: {"margin": 50.0, "squared": True, "mining": "all"},
    losses.TSCLoss: {"temperature": 0.07, "target_weight": 1.0, "num_positives": None},
    heads.KNearest: {"k": 20, "temperature": 0.07, "exponent": None},
    heads.NearestClassMean: {"scale": 30.0},
    heads.NormedLinear: {"scale": 30.0},
    mixers.BalancedMixUp: {"alpha": 0.2},
    mixers.CutMix: {"alpha": 1.0, "probability": 0.5},
    mixers.MixUp: {"alpha": 0.2},
    mixers.Remix: {"alpha": 1.0, "kappa": 3.0, "tau": 0.5},
    modules.BalancedMixUpClassifier: {"alpha": 0.2, "predictor": predictors.FlipTTA},
    modules.BCL: {"temperature": 0.1, "ce_weight": 1.0, "contrast_weight": 0.35, "batch_norm": True},
    modules.ECL: {"temperature": 0.01, "ce_weight": 2.0, "bhp_weight": 1.0, "cycle_update": True, "hidden_size": 128},
    modules.FrozenHead: {"init": "new", "cache_views": None, "metadata_size": 0, "l2_penalty": 0.0},
    modules.HybridSC: {"temperature": 0.1},
    modules.MetadataClassifier: {"metadata_size": 256, "metadata_dropout": 0.4, "drop_attribute": 0.1},
    modules.MetricLearningClassifier: {"metric_weight": 1.0, "loss_weight": 1.0},
    modules.SCL: {"temperature": 0.1, "ce_weight": 1.0, "contrast_weight": 1.0},
    modules.SupConRepresentation: {"temperature": 0.05, "base_temperature": None},
    ContrastiveRepresentation: {"hidden_size": 2048, "embedding_size": 128},
    ContrastiveClassifier: {"hidden_size": 2048, "embedding_size": 128, "batch_norm": False},
    modules.TSC: {"temperature": 0.07, "target_weight": 1.0, "target_start": 0.5, "queue_size": 0},
    predictors.PostHocAdjusted: {"tau": 1.0},
    samplers.ClassPower: {"q": 1.0, "length": None},
    samplers.DeferredBalance: {"start": 0.8},
    schedulers.CosineCycles: {"cycles": 1, "eta_min": 0.0},
    schedulers.Plateau: {"monitor": "val/kappa", "mode": "max", "factor": 0.1, "patience": 2, "min_factor": 1e-3},
    schedulers.Steps: {"at": (0.25, 0.5, 0.75), "gamma": 0.1},
    schedulers.WarmupCosine: {"warmup": 0.05, "start": 0.0, "eta_min": 1e-6},
    data.Holdout: {"test": 0.3, "val": 0.0, "seed": 0},
    data.KFold: {"folds": 5, "fold": 0, "val": 0.0, "seed": 0},
    data.Official: {"val": 0.0, "seed": 0},
    data.OfficialFold: {"fold": 0, "val": 0.0, "seed": 0},
}


@pytest.mark.parametrize("kind", DEFAULTS, ids=lambda kind: kind.__name__)
def test_defaults_are_those_of_the_papers(kind):
    parameters = signature(kind).parameters
    assert {name: parameters[name].default for name in DEFAULTS[kind]} == DEFAULTS[kind]
