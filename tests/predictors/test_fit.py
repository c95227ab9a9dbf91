"""What a predictor is fitted to, and which predictors are told how pictures are normalised."""

import torch
from torch import nn

from lightning_imbal.predictors import PerturbedInput, TemperatureScaled
from lightning_imbal.predictors.fit import calibrate, tell_normalization


def test_a_predictor_is_fitted_to_what_it_gives_itself_before_an_earlier_fit(monkeypatch):
    predictor, given = TemperatureScaled(torch.tensor([3, 2])), []
    predictor.temperature = 2.0  # of an earlier fit
    monkeypatch.setattr(predictor, "calibrate", lambda logits, label: given.append((logits, label)))
    batches = [{"image": torch.full((2, 2), 4.0), "label": torch.tensor([0, 1])}] * 2
    calibrate(predictor, lambda batch: nn.Identity(), batches)
    [(logits, label)] = given
    assert torch.equal(logits, torch.full((4, 2), 4.0)) and label.tolist() == [0, 1, 0, 1]


def test_every_predictor_in_a_module_is_told():
    inner = nn.ModuleList([PerturbedInput(torch.tensor([3, 2])), nn.Linear(2, 2), PerturbedInput(torch.tensor([3, 2]))])
    mean, std = torch.full((3, 1, 1), 0.25), torch.full((3, 1, 1), 0.5)
    tell_normalization(inner, mean, std)
    for predictor in (inner[0], inner[2]):
        assert torch.equal(predictor.mean, mean) and torch.equal(predictor.std, std)
