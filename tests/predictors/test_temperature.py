"""The predictor temperature against a slow oracle, and its limits."""

import math

import pytest
import torch
from predictor_oracles import COUNTS, Given

from lightning_imbal.predictors import TemperatureScaled


class TestTemperatureScaled:
    def test_divides(self):
        logits = torch.tensor([[3.0, -1.0, 0.5]])
        scaled = TemperatureScaled(COUNTS, temperature=2.0)(Given(), logits)
        assert scaled.tolist() == [[1.5, -0.5, 0.25]]

    def test_is_plain_before_calibration(self):
        logits = torch.tensor([[3.0, -1.0, 0.1]])
        assert torch.equal(TemperatureScaled(COUNTS)(Given(), logits), logits)

    @pytest.mark.parametrize("temperature", [0.2, 1.0, 4.0])
    def test_finds_the_temperature_of_labels_drawn_from_the_scaled_softmax(self, temperature: float):
        generator = torch.Generator().manual_seed(0)
        logits = 2 * temperature * torch.randn(20000, 3, generator=generator)
        label = (logits / temperature).softmax(1).multinomial(1, generator=generator).flatten()
        predictor = TemperatureScaled(COUNTS)
        predictor.calibrate(logits, label)
        assert predictor.temperature == pytest.approx(temperature, rel=0.03)

    def test_calibrating_again_changes_nothing(self):
        logits, label = torch.tensor([[5.0, 0.0]]).expand(4, 2), torch.tensor([0, 0, 0, 1])
        predictor = TemperatureScaled(COUNTS)
        for _ in range(2):
            predictor.calibrate(predictor(Given(), logits), label)
            assert predictor.temperature == pytest.approx(5 / math.log(3), rel=1e-5)

    def test_by_hand(self):
        # Three in four are right at a margin of 1: the likelihood is highest where the sigmoid of 1 / T is 3/4.
        predictor = TemperatureScaled(COUNTS)
        with torch.inference_mode():
            predictor.calibrate(torch.tensor([[1.0, 0.0]]).expand(4, 2).half(), torch.tensor([0, 0, 0, 1]))
        assert predictor.temperature == pytest.approx(1 / math.log(3), rel=1e-5)

    @pytest.mark.parametrize("wrong, bound", [(0, math.exp(-3)), (4, math.exp(3))])
    def test_stays_within_bounds_if_all_are_right_or_wrong(self, wrong: int, bound: float):
        predictor = TemperatureScaled(COUNTS)
        predictor.calibrate(torch.tensor([[1.0, 0.0]]).expand(4, 2), (torch.arange(4) < wrong).long())
        assert predictor.temperature == pytest.approx(bound, rel=1e-3)

    @pytest.mark.parametrize("temperature", [0.0, -1.0, math.nan])
    def test_temperature_is_positive(self, temperature: float):
        with pytest.raises(ValueError, match="temperature must be positive or null, but is"):
            TemperatureScaled(COUNTS, temperature=temperature)
