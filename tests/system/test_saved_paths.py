"""Class paths that saved configurations and checkpoints hold can still be resolved."""

from importlib import import_module

import pytest

SAVED = {
    "batch_samplers": "ClassBlocks PKBatches",
    "callbacks": "ClassF1Panels LinearWarmup ProxyCycleUpdate ResultsWriter SaveFeatures",
    "data": "APTOS2019 CSVData CenterCrop ChestXray14 ChulaRBC12 DigitsLT EyePACS FlipJitter Flowers102LT FolderData "
    "FundusDR Holdout HyperKvasir ISIC2018 ISIC2019 IdLists ImageNetCrop KFold MedMNIST Messidor2 Official "
    "OfficialFold RotateCrop ScaleShiftRotate ShiftCrop Squash StanfordDogsLT StrongCrop XRay6 XRay9",
    "heads": "LearnableScale NearestClassMean NormedLinear TauNormalized",
    "losses": "BWCE CenterTerm ClassBalancedFocal ContrastTerm CrossEntropy Deferred Focal LDAM LogitAdjusted MWNL "
    "OHEM TripletTerm",
    "mixers": "BalancedMixUp CutMix MixUp Remix",
    "modules": "BBN BCL BalancedMixUpClassifier Classifier ECL FrozenHead HybridSC MetricLearningClassifier "
    "PerturbedClassifier SCL SupConRepresentation TSC",
    "predictors": "FlipTTA PerturbedInput Plain PostHocAdjusted TemperatureScaled",
    "samplers": "ClassPower DeferredBalance OversampleToMax ProgressiveBalance Reversed",
    "schedulers": "CosineCycles Plateau Steps WarmupCosine",
}


@pytest.mark.parametrize("path", [f"{module}.{name}" for module, names in SAVED.items() for name in names.split()])
def test_saved_path_is_a_class(path):
    module, _, name = path.rpartition(".")
    found = getattr(import_module(f"lightning_imbal.{module}"), name)
    assert isinstance(found, type) and found.__name__ == name
