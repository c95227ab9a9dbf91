"""What every predictor does in every precision and gradient mode, and what it leaves in a checkpoint."""

from functools import partial

import pytest
import torch
from lightning.pytorch import Trainer
from predictor_oracles import COUNTS, random_image, small_network
from torch.utils.data import DataLoader

from lightning_imbal.modules.classifier import Classifier
from lightning_imbal.predictors import (
    DihedralTTA,
    FlipTTA,
    PerturbedInput,
    Plain,
    PostHocAdjusted,
    PredictorFactory,
    TemperatureScaled,
)

PREDICTORS = [Plain, FlipTTA, DihedralTTA, PostHocAdjusted, TemperatureScaled, PerturbedInput]
warm = partial(TemperatureScaled, temperature=2.0)


def build_classifier(predictor: PredictorFactory) -> Classifier:
    names = ["a", "b", "c"]
    return Classifier(class_counts=COUNTS.tolist(), class_names=names, backbone="test_resnet", predictor=predictor)


class TestEveryPredictor:
    @pytest.mark.parametrize("trained", PREDICTORS)
    @pytest.mark.parametrize("tested", PREDICTORS)
    def test_a_checkpoint_of_another_predictor_loads(self, trained: PredictorFactory, tested: PredictorFactory):
        state = build_classifier(trained).state_dict()
        assert not [key for key in state if key.startswith("predictor.")]
        build_classifier(tested).load_state_dict(state, strict=True)

    @pytest.mark.parametrize("predictor", PREDICTORS)
    def test_gives_as_many_logits_as_classes_and_keeps_the_mode(self, predictor: PredictorFactory):
        network = small_network()
        assert predictor(COUNTS)(network, random_image(2)).shape == (2, 3)
        assert not network.training
        predictor(COUNTS)(network.train(), random_image(2))
        assert network.training

    @pytest.mark.parametrize("predictor", [Plain, FlipTTA, DihedralTTA, PostHocAdjusted, PerturbedInput])
    def test_only_a_free_temperature_needs_calibration(self, predictor: PredictorFactory):
        assert not predictor(COUNTS).needs_calibration
        assert not TemperatureScaled(COUNTS, temperature=2.0).needs_calibration
        assert TemperatureScaled(COUNTS).needs_calibration

    @pytest.mark.parametrize("predictor", [PostHocAdjusted, PerturbedInput])
    def test_empty_classes_are_named(self, predictor: PredictorFactory):
        with pytest.raises(ValueError, match="class label 1, 3:"):
            predictor(torch.tensor([5, 0, 2, 0]))

    @pytest.mark.parametrize("precision", ["32-true", "bf16-true"])
    @pytest.mark.parametrize("predictor", [Plain, FlipTTA, DihedralTTA, PostHocAdjusted, warm, PerturbedInput])
    def test_runs_in_a_trainer_as_it_is(self, predictor: PredictorFactory, precision: str):
        module = build_classifier(predictor)
        quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
        trainer = Trainer(accelerator="cpu", precision=precision, enable_model_summary=False, **quiet)
        loader = DataLoader([{"image": image} for image in random_image(4)], batch_size=4)
        (probability,) = trainer.predict(module, loader)
        assert probability.dtype == torch.float32
        torch.testing.assert_close(probability.sum(dim=1), torch.ones(4))
