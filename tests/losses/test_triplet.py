"""Center loss, triplet loss and the metric-learning terms against slow oracles and in their edge cases."""

import math
from itertools import product

import pytest
import torch
from metric_oracles import LABELS, random_feature
from torch import Tensor

from lightning_imbal.losses import TripletLoss

every_label = pytest.mark.parametrize("label", LABELS.values(), ids=LABELS.keys())
every_mining = pytest.mark.parametrize("mining", ["all", "hard"])
squared_or_not = pytest.mark.parametrize("squared", [True, False], ids=["squared", "euclidean"])


def triplet_oracle(feature: Tensor, label: list[int], margin: float, squared: bool, mining: str) -> float:
    points = feature.tolist()

    def distance(i: int, j: int) -> float:
        square = sum((a - b) ** 2 for a, b in zip(points[i], points[j], strict=True))
        return square if squared else math.sqrt(square)

    counted = []
    for a in range(len(points)):
        positives = [distance(a, p) for p in range(len(points)) if p != a and label[p] == label[a]]
        negatives = [distance(a, n) for n in range(len(points)) if label[n] != label[a]]
        if mining == "all":
            hinges = [max(0.0, near - far + margin) for near, far in product(positives, negatives)]
            counted += [hinge for hinge in hinges if hinge > 0]
        elif positives and negatives:
            counted.append(max(0.0, max(positives) - min(negatives) + margin))
    return sum(counted) / len(counted) if counted else 0.0


class TestTripletLoss:
    @every_label
    @every_mining
    @squared_or_not
    @pytest.mark.parametrize("margin", [0.0, 1.0, 50.0])
    def test_against_the_equation(self, label: list[int], mining: str, squared: bool, margin: float):
        feature = random_feature().requires_grad_()
        loss = TripletLoss(margin, squared, mining)(feature, torch.tensor(label))
        loss.backward()
        assert loss.dtype == torch.float64
        assert loss.item() == pytest.approx(triplet_oracle(feature, label, margin, squared, mining), abs=1e-10)
        assert feature.grad.isfinite().all()

    def test_by_hand(self):
        # Points 0 and 1 of one class, 3 of another: squared leads 1 - 9 and 1 - 4, of which a margin of 5 leaves 2.
        feature, label = torch.tensor([[0.0], [1.0], [3.0]]), torch.tensor([0, 0, 1])
        assert TripletLoss(margin=5.0)(feature, label).item() == pytest.approx(2.0, abs=1e-5)
        assert TripletLoss(margin=5.0, mining="hard")(feature, label).item() == pytest.approx(1.0, abs=1e-5)
        # Distances 1 - 3 and 1 - 2 leave 3 and 4.
        assert TripletLoss(margin=5.0, squared=False)(feature, label).item() == pytest.approx(3.5, abs=1e-5)

    @every_label
    @every_mining
    @squared_or_not
    def test_gradient(self, label: list[int], mining: str, squared: bool):
        loss = TripletLoss(2.0, squared, mining)
        feature = random_feature().requires_grad_()
        assert torch.autograd.gradcheck(lambda x: loss(x, torch.tensor(label)), feature)

    @every_mining
    @squared_or_not
    @pytest.mark.parametrize(
        "label", [[0], [0, 0, 0, 0], [0, 1, 2, 3]], ids=["batch of one", "no negative", "no positive"]
    )
    def test_no_triplet(self, label: list[int], mining: str, squared: bool):
        feature = random_feature(len(label)).requires_grad_()
        loss = TripletLoss(50.0, squared, mining)(feature, torch.tensor(label))
        loss.backward()
        assert loss.item() == 0
        assert torch.equal(feature.grad, torch.zeros_like(feature))

    @every_mining
    @squared_or_not
    def test_no_active_triplet(self, mining: str, squared: bool):
        feature = torch.tensor([[0.0], [1.0], [100.0], [101.0]], requires_grad=True)
        loss = TripletLoss(1.0, squared, mining)(feature, torch.tensor([0, 0, 1, 1]))
        loss.backward()
        assert loss.item() == 0
        assert torch.equal(feature.grad, torch.zeros_like(feature))

    @every_mining
    @squared_or_not
    def test_collapsed_features_lose_the_margin(self, mining: str, squared: bool):
        feature = random_feature(1).expand(6, 4).clone().requires_grad_()
        loss = TripletLoss(7.0, squared, mining)(feature, torch.tensor([0, 0, 0, 1, 1, 1]))
        loss.backward()
        assert loss.item() == pytest.approx(7.0, abs=1e-10)
        assert feature.grad.isfinite().all()

    @squared_or_not
    def test_features_far_from_the_origin_in_float32(self, squared: bool):
        label = torch.tensor(LABELS["all classes"])
        precise, loss = 1000 + random_feature().float().double(), TripletLoss(1.0, squared)
        torch.testing.assert_close(loss(precise.float(), label), loss(precise, label).float(), rtol=1e-3, atol=0)

    @every_mining
    def test_autocast_changes_nothing(self, mining: str):
        feature, label = random_feature().float(), torch.tensor(LABELS["all classes"])
        outside = TripletLoss(1.0, mining=mining)(feature, label)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            torch.testing.assert_close(TripletLoss(1.0, mining=mining)(feature, label), outside, rtol=0, atol=0)

    @every_mining
    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
    def test_half_precision_is_computed_in_float32(self, mining: str, dtype: torch.dtype):
        feature, label = (100 * random_feature()).to(dtype).requires_grad_(), torch.tensor(LABELS["all classes"])
        loss = TripletLoss(mining=mining)(feature, label)
        loss.backward()
        assert loss.dtype == torch.float32
        torch.testing.assert_close(loss, TripletLoss(mining=mining)(feature.float(), label))
        assert feature.grad.isfinite().all()

    def test_arguments_outside_their_range(self):
        with pytest.raises(ValueError, match="^margin must not be negative, but is -1"):
            TripletLoss(margin=-1)
        with pytest.raises(ValueError, match="all or hard, but is 'semi'"):
            TripletLoss(mining="semi")
