"""Classifier heads: what they compute, what they load, what they refuse."""

import math
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from head_oracles import CLASSES, DIM, LABEL, Classifier, random_feature
from torch import nn

from lightning_imbal.heads import TauNormalized


def balanced_accuracy(logits: list[list[float]], label: list[int]) -> float:
    guess = [row.index(max(row)) for row in logits]
    recalls = []
    for c in sorted(set(label)):
        hits = [g == c for g, y in zip(guess, label, strict=True) if y == c]
        recalls.append(sum(hits) / len(hits))
    return sum(recalls) / len(recalls)


class TestTauNormalized:
    @pytest.mark.parametrize("tau", [0.0, 0.5, 1.0, 2.0])
    def test_against_the_equation(self, tau: float):
        linear, head, feature = nn.Linear(DIM, CLASSES), TauNormalized(DIM, CLASSES, tau), random_feature()
        head.load_state_dict(linear.state_dict())
        head.solve((feature, LABEL), None)
        rows = [[w / math.hypot(*row) ** tau for w in row] for row in linear.weight.tolist()]
        expected = [[sum(a * b for a, b in zip(x, row, strict=True)) for row in rows] for x in feature.tolist()]
        torch.testing.assert_close(head(feature), torch.tensor(expected))

    def test_by_hand(self):
        head = TauNormalized(2, 2, tau=1.0)
        head.load_state_dict({"weight": torch.tensor([[3.0, 4.0], [0.0, 2.0]]), "bias": torch.tensor([9.0, 9.0])})
        torch.testing.assert_close(head(torch.tensor([[10.0, 5.0]])), torch.tensor([[10.0, 5.0]]))

    @pytest.mark.parametrize("seed", range(5))
    def test_tau_is_the_first_of_the_grid_with_the_best_balanced_accuracy(self, seed: int):
        generator = torch.Generator().manual_seed(seed)
        norm = torch.tensor([4.0, 1.0, 0.3])
        weight = norm[:, None] * F.normalize(torch.randn(CLASSES, DIM, generator=generator))
        feature, label = random_feature(40, seed), torch.randint(0, CLASSES, (40,), generator=generator)
        head = TauNormalized(DIM, CLASSES)
        head.load_state_dict({"weight": weight})
        head.solve((random_feature(), LABEL), (feature, label))
        scores = [
            balanced_accuracy((feature @ (weight / norm[:, None] ** (k / 10)).T).tolist(), label.tolist())
            for k in range(21)
        ]
        best = max(scores)
        first = next(k for k, score in enumerate(scores) if score > best - 1e-12)
        assert head.tau.item() == pytest.approx(first / 10, abs=1e-12)
        assert scores[first] > min(scores)

    def test_class_absent_from_validation_does_not_count(self):
        # Class 1 wins its feature when 3 / 2 ** tau exceeds 4 / 4 ** tau, from tau = 0.42 on.
        head = TauNormalized(2, 3)
        head.load_state_dict({"weight": torch.tensor([[4.0, 0.0], [0.0, 2.0], [-1.0, -1.0]])})
        feature, label = torch.tensor([[1.0, 0.0], [1.0, 1.5]]), torch.tensor([0, 1])
        head.solve((feature, label), (feature, label))
        assert head.tau.item() == pytest.approx(0.5, abs=1e-12)

    def test_solving_twice_normalises_once(self):
        head, feature = TauNormalized(DIM, CLASSES, tau=0.7), random_feature()
        head.load_state_dict(nn.Linear(DIM, CLASSES).state_dict())
        head.solve((feature, LABEL), None)
        once = head(feature)
        head.solve((feature, LABEL), None)
        assert torch.equal(head(feature), once)

    def test_chosen_tau_is_part_of_the_state(self):
        head, fresh = TauNormalized(DIM, CLASSES), TauNormalized(DIM, CLASSES)
        head.load_state_dict(nn.Linear(DIM, CLASSES).state_dict())
        head.tau.fill_(1.3)
        fresh.load_state_dict(head.state_dict())
        assert fresh.tau.item() == 1.3

    def test_given_tau_wins_over_a_loaded_one(self):
        head, other = TauNormalized(DIM, CLASSES, tau=0.5), TauNormalized(DIM, CLASSES, tau=1.5)
        other.load_state_dict(nn.Linear(DIM, CLASSES).state_dict())
        head.load_state_dict(other.state_dict())
        head.solve((random_feature(), LABEL), None)
        assert head.tau.item() == 0.5

    @pytest.mark.parametrize("factory", [nn.Linear, partial(nn.Linear, bias=False)])
    def test_loads_a_linear_layer(self, factory):
        linear, head = factory(DIM, CLASSES), TauNormalized(DIM, CLASSES)
        Classifier(head).load_state_dict(Classifier(linear).state_dict())
        torch.testing.assert_close(head(random_feature()), F.linear(random_feature(), linear.weight))

    def test_other_missing_keys_are_refused(self):
        with pytest.raises(RuntimeError, match="weight"):
            TauNormalized(DIM, CLASSES).load_state_dict({"bias": torch.zeros(CLASSES)})

    def test_zero_row_stays_zero(self):
        head = TauNormalized(DIM, CLASSES, tau=2.0)
        weight = torch.ones(CLASSES, DIM)
        weight[1] = 0
        head.load_state_dict({"weight": weight})
        logits = head(random_feature())
        assert torch.equal(logits[:, 1], torch.zeros(8))
        assert logits.isfinite().all()

    @pytest.mark.parametrize("val", [None, (torch.zeros(0, DIM), torch.zeros(0, dtype=torch.long))])
    def test_choosing_needs_a_validation_part(self, val):
        head = TauNormalized(DIM, CLASSES)
        head.load_state_dict(nn.Linear(DIM, CLASSES).state_dict())
        with pytest.raises(ValueError, match="give the split one or set tau"):
            head.solve((random_feature(), LABEL), val)

    def test_weights_must_be_loaded(self):
        with pytest.raises(ValueError, match="no weights to normalise"):
            TauNormalized(DIM, CLASSES, tau=1.0).solve((random_feature(), LABEL), None)

    def test_tau_outside_its_range(self):
        with pytest.raises(ValueError, match="^tau must not be negative"):
            TauNormalized(DIM, CLASSES, tau=-0.5)

    def test_has_no_parameters(self):
        assert list(TauNormalized(DIM, CLASSES).parameters()) == []
