"""Focal loss against a slow oracle, its limits and its edge cases."""

import math

import pytest
import torch
import torch.nn.functional as F
from loss_oracles import COUNTS, EQUAL, effective_weights, random_logits, sigmoid, softmax, value_of, weighted_or_not

from lightning_imbal.losses import ClassBalancedFocal, Focal


def focal_term(scores: list[float], y: int, gamma: float, form: str) -> float:
    if form == "softmax":
        p = softmax(scores)[y]
        return (1 - p) ** gamma * -math.log(p)
    total = 0.0
    for c, score in enumerate(scores):
        p = sigmoid(score) if c == y else 1 - sigmoid(score)
        total += (1 - p) ** gamma * -math.log(p)
    return total


class TestFocal:
    @weighted_or_not
    @pytest.mark.parametrize("form", ["softmax", "sigmoid"])
    @pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
    def test_against_the_equation(self, gamma: float, form: str, sample_weight: list[float] | None):
        logits, label = random_logits()
        terms = [
            w * focal_term(row, y, gamma, form)
            for row, y, w in zip(logits.tolist(), label.tolist(), sample_weight or [1.0] * 8, strict=True)
        ]
        value = value_of(Focal(COUNTS, gamma, form), sample_weight, logits, label)
        assert value == pytest.approx(sum(terms) / 8, abs=1e-10)

    def test_by_hand(self):
        # The label has probability 3/4, so the term is (1/4)^2 log(4/3).
        logits = torch.tensor([[math.log(3), 0.0]], dtype=torch.float64)
        loss = Focal(torch.tensor([1, 1]))(logits, torch.tensor([0]))
        assert loss.item() == pytest.approx(math.log(4 / 3) / 16, abs=1e-12)
        # At logits of 0 each of the two questions has the term (1/2)^2 log 2.
        loss = Focal(torch.tensor([1, 1]), form="sigmoid")(torch.zeros(1, 2), torch.tensor([0]))
        assert loss.item() == pytest.approx(math.log(2) / 2, abs=1e-6)

    def test_gamma_0_is_cross_entropy(self):
        logits, label = random_logits()
        torch.testing.assert_close(
            Focal(COUNTS, gamma=0.0)(logits, label), F.cross_entropy(logits, label), rtol=0, atol=0
        )
        binary = F.binary_cross_entropy_with_logits(logits, F.one_hot(label, 3).double(), reduction="sum") / 8
        torch.testing.assert_close(Focal(COUNTS, gamma=0.0, form="sigmoid")(logits, label), binary)

    @pytest.mark.parametrize("gamma", [0.1, 0.5, 1.0])
    def test_probability_1_has_a_gradient_of_0(self, gamma: float):
        logits = torch.tensor([[200.0, 0.0, 0.0]], requires_grad=True)
        loss = Focal(COUNTS, gamma)(logits, torch.tensor([0]))
        loss.backward()
        assert loss.item() == 0
        assert torch.equal(logits.grad, torch.zeros_like(logits))

    def test_modulator_has_a_gradient(self):
        # With q = 1 - p: d/dz of q^2 (-log p) is 2 q (p q) log p - q^3.
        logits = torch.tensor([[math.log(3), 0.0]], dtype=torch.float64, requires_grad=True)
        Focal(torch.tensor([1, 1]))(logits, torch.tensor([0])).backward()
        expected = 2 * 0.25 * (0.75 * 0.25) * math.log(0.75) - 0.25**3
        assert logits.grad[0, 0].item() == pytest.approx(expected, abs=1e-12)

    def test_arguments_outside_their_range(self):
        with pytest.raises(ValueError, match="^gamma must not be negative, but is -1"):
            Focal(COUNTS, gamma=-1)
        with pytest.raises(ValueError, match="softmax or sigmoid, but is 'binary'"):
            Focal(COUNTS, form="binary")


class TestClassBalancedFocal:
    @weighted_or_not
    @pytest.mark.parametrize("form", ["softmax", "sigmoid"])
    def test_against_the_equation(self, form: str, sample_weight: list[float] | None):
        logits, label = random_logits()
        class_weight = effective_weights(0.99)
        terms = [
            w * class_weight[y] * focal_term(row, y, 1.0, form)
            for row, y, w in zip(logits.tolist(), label.tolist(), sample_weight or [1.0] * 8, strict=True)
        ]
        value = value_of(ClassBalancedFocal(COUNTS, beta=0.99, gamma=1.0, form=form), sample_weight, logits, label)
        assert value == pytest.approx(sum(terms) / 8, abs=1e-10)

    @pytest.mark.parametrize("loss", [ClassBalancedFocal(COUNTS, beta=0.0), ClassBalancedFocal(EQUAL)])
    def test_equal_weights_are_plain_focal(self, loss: ClassBalancedFocal):
        logits, label = random_logits()
        torch.testing.assert_close(loss(logits, label), Focal(COUNTS, form="sigmoid")(logits, label))

    def test_beta_outside_its_range(self):
        with pytest.raises(ValueError, match="^beta must lie between 0 and 1"):
            ClassBalancedFocal(COUNTS, beta=2.0)
