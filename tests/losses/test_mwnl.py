"""Losses that re-balance classes or samples against slow oracles, their limits and their edge cases."""

import math

import pytest
import torch
from loss_oracles import COUNTS, random_logits, sigmoid, value_of, weighted_or_not

from lightning_imbal.losses import MWNL, Focal


def mwnl_oracle(
    rows: list[list[float]],
    labels: list[int],
    sample_weight: list[float],
    class_weight: list[float],
    beta: float,
    clip: str,
    reduction: str,
) -> float:
    total, weights = 0.0, 0.0
    for row, y, w in zip(rows, labels, sample_weight, strict=True):
        for c, score in enumerate(row):
            p = sigmoid(score) if c == y else 1 - sigmoid(score)
            cross_entropy = -math.log(p)
            if beta > 0 and cross_entropy > -math.log(beta):
                outlier = {"fix": -math.log(beta), "zero": 0.0, "decrease": p * -math.log(beta) / beta}
                cross_entropy = outlier[clip]
            total += w * class_weight[y] * (1 - p) ** 2 * cross_entropy
            weights += class_weight[y]
    return 30 * total / (len(rows) * len(rows[0])) if reduction == "enlarge" else total / weights


class TestMWNL:
    @weighted_or_not
    @pytest.mark.parametrize("reduction", ["enlarge", "normal"])
    @pytest.mark.parametrize(
        "clip, beta", [("fix", 0.1), ("zero", 0.1), ("decrease", 0.1), ("fix", 0.4), ("decrease", 0.0)]
    )
    def test_against_the_equation(self, clip: str, beta: float, reduction: str, sample_weight: list[float] | None):
        logits, label = random_logits()
        powers = [n**-1.2 for n in COUNTS.tolist()]
        class_weight = [3 * power / sum(powers) for power in powers]
        expected = mwnl_oracle(
            logits.tolist(), label.tolist(), sample_weight or [1.0] * 8, class_weight, beta, clip, reduction
        )
        value = value_of(MWNL(COUNTS, beta=beta, clip=clip, reduction=reduction), sample_weight, logits, label)
        assert value == pytest.approx(expected, abs=1e-10)

    def test_by_hand(self):
        # Both questions have the probability 1/2: each term is (1/2)^2 log 2, of which the loss is 30 times the mean.
        loss = MWNL(torch.tensor([1, 1]))(torch.zeros(1, 2, dtype=torch.float64), torch.tensor([0]))
        assert loss.item() == pytest.approx(7.5 * math.log(2), abs=1e-12)

    def test_unclipped_and_unweighted_is_sigmoid_focal(self):
        logits, label = random_logits()
        loss = MWNL(COUNTS, weight_power=0.0, beta=0.0)(logits, label)
        torch.testing.assert_close(loss, 10 * Focal(COUNTS, form="sigmoid")(logits, label))

    def test_fixed_outlier_keeps_the_gradient_of_the_focal_factor(self):
        logits = torch.tensor([[-4.0, -30.0]], dtype=torch.float64, requires_grad=True)
        MWNL(torch.tensor([1, 1]))(logits, torch.tensor([0])).backward()
        p = sigmoid(-4.0)
        expected = 15 * math.log(10) * -2 * (1 - p) * p * (1 - p)
        assert logits.grad[0, 0].item() == pytest.approx(expected, rel=1e-10)

    @pytest.mark.parametrize(
        "epoch, exponent", [(1, 0.0), (20, 0.0), (30, 1.2 / 16), (40, 0.3), (60, 1.2), (61, 1.2), (70, 1.2)]
    )
    def test_exponent_follows_the_epoch(self, epoch: int, exponent: float):
        loss = MWNL(COUNTS)
        loss.set_epoch(epoch, max_epochs=70)
        powers = [n**-exponent for n in COUNTS.tolist()]
        expected = [3 * power / sum(powers) for power in powers]
        assert loss.class_weight.tolist() == pytest.approx(expected, abs=1e-12)

    def test_weights_are_complete_before_the_first_epoch(self):
        loss = MWNL(COUNTS)
        before = loss.class_weight
        loss.set_epoch(10, max_epochs=10)
        torch.testing.assert_close(loss.class_weight, before)

    def test_epoch_is_no_part_of_the_state(self):
        loss = MWNL(COUNTS)
        loss.set_epoch(1, max_epochs=10)
        assert set(loss.state_dict()) == {"class_counts"}

    @pytest.mark.parametrize(
        "arguments, said",
        [
            ({"gamma": -1.0}, "^gamma must not be negative"),
            ({"weight_power": -1.0}, "^weight_power must not be negative"),
            ({"beta": 1.0}, "^beta must be at least 0 and below 1"),
            ({"clip": "cut"}, "fix, zero or decrease, but is 'cut'"),
            ({"reduction": "mean"}, "enlarge or normal, but is 'mean'"),
            ({"start": 0.5, "full": 0.5}, "0 <= start < full <= 1, but are 0.5 and 0.5"),
            ({"full": 1.5}, "0 <= start < full <= 1"),
        ],
    )
    def test_arguments_outside_their_range(self, arguments: dict, said: str):
        with pytest.raises(ValueError, match=said):
            MWNL(COUNTS, **arguments)

    def test_number_of_epochs_must_be_known(self):
        with pytest.raises(ValueError, match="^MWNL needs to know .* max_epochs is -1"):
            MWNL(COUNTS).set_epoch(1, max_epochs=-1)
