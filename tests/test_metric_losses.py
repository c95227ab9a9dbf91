"""Center loss, triplet loss and the metric-learning terms against slow oracles and in their edge cases."""

import math
from functools import partial
from itertools import product

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from lightning_imbal.losses import (
    CenterLoss,
    CenterTerm,
    ContrastTerm,
    MetricTerm,
    SupConLoss,
    TripletLoss,
    TripletTerm,
)

LABELS = {
    "all classes": [0, 0, 0, 1, 1, 1, 2, 2],
    "class absent": [0, 0, 0, 0, 0, 0, 2, 2],
    "anchors alone": [0, 0, 1, 1, 1, 1, 2, 3],
    "single positive": [0, 0, 1, 2, 3, 4, 5, 6],
}
every_label = pytest.mark.parametrize("label", LABELS.values(), ids=LABELS.keys())
every_mining = pytest.mark.parametrize("mining", ["all", "hard"])
squared_or_not = pytest.mark.parametrize("squared", [True, False], ids=["squared", "euclidean"])


def random_feature(batch: int = 8, dim: int = 4, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(batch, dim, generator=generator, dtype=torch.float64)


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


class TestCenterLoss:
    def test_against_the_equation(self):
        feature, label = random_feature(), torch.tensor(LABELS["all classes"])
        loss = CenterLoss(3, 4, init="normal").double()
        terms = [
            sum((x - c) ** 2 for x, c in zip(row, loss.centers[y].tolist(), strict=True))
            for row, y in zip(feature.tolist(), label.tolist(), strict=True)
        ]
        assert loss(feature, label).item() == pytest.approx(sum(terms) / 8, abs=1e-10)

    def test_by_hand(self):
        # Squared distances to centers at 0: 9 + 16 and 4.
        loss = CenterLoss(2, 2)(torch.tensor([[3.0, 4.0], [0.0, 2.0]]), torch.tensor([0, 1]))
        assert loss.item() == pytest.approx(14.5, abs=1e-6)

    def test_gradient(self):
        label = torch.tensor(LABELS["all classes"])
        loss = CenterLoss(3, 4).double()

        def value(feature: Tensor, centers: Tensor) -> Tensor:
            return torch.func.functional_call(loss, {"centers": centers}, (feature, label))

        inputs = random_feature().requires_grad_(), random_feature(3, seed=1).requires_grad_()
        assert torch.autograd.gradcheck(value, inputs)

    def test_center_of_absent_class_has_zero_gradient(self):
        loss = CenterLoss(3, 4, init="normal").double()
        loss(random_feature(), torch.tensor(LABELS["class absent"])).backward()
        assert torch.equal(loss.centers.grad[1], torch.zeros(4, dtype=torch.float64))
        assert (loss.centers.grad[[0, 2]] != 0).all()

    def test_centers_start_as_told(self):
        assert torch.equal(CenterLoss(3, 4).centers, torch.zeros(3, 4))
        torch.manual_seed(0)
        drawn = CenterLoss(50, 200, init="normal").centers
        assert drawn.mean().item() == pytest.approx(0, abs=0.05)
        assert drawn.std().item() == pytest.approx(1, abs=0.05)

    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
    def test_half_precision_is_computed_in_float32(self, dtype: torch.dtype):
        # The sum of 2048 squares of 10 is beyond float16, in which also the centers are.
        feature = torch.full((2, 2048), 10.0, dtype=dtype).requires_grad_()
        loss = CenterLoss(2, 2048).to(dtype)(feature, torch.tensor([0, 1]))
        loss.backward()
        assert loss.dtype == torch.float32
        assert loss.item() == 204800
        assert feature.grad.isfinite().all()

    def test_unknown_start_lists_the_known(self):
        with pytest.raises(ValueError, match="zero or normal, but is 'ones'"):
            CenterLoss(2, 2, init="ones")


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


class TestMetricTerms:
    @pytest.mark.parametrize(
        "factory", [CenterTerm, TripletTerm, partial(ContrastTerm, hidden_size=8, embedding_size=5)]
    )
    def test_is_born_with_the_classes_and_the_feature_size(self, factory):
        term = factory(3, 4)
        feature = random_feature().float().requires_grad_()
        loss = term(feature, torch.tensor(LABELS["all classes"]))
        loss.backward()
        assert isinstance(term, MetricTerm)
        assert loss.shape == ()
        assert feature.grad.isfinite().all() and (feature.grad != 0).any()

    def test_center_term_has_an_optimizer_of_its_own(self):
        term = CenterTerm(3, 4, init="normal", lr=0.25)
        feature, label = random_feature().float(), torch.tensor(LABELS["class absent"])
        before = term.loss.centers.detach().clone()
        optimizer = term.own_optimizer()
        for _ in range(2):  # a momentum would show in the second step
            optimizer.zero_grad()
            term(feature, label).backward()
            expected = term.loss.centers.detach() - 0.25 * term.loss.centers.grad
            optimizer.step()
            torch.testing.assert_close(term.loss.centers.detach(), expected)
        assert torch.equal(term.loss.centers[1], before[1])

    def test_others_leave_their_parameters_to_the_network(self):
        assert TripletTerm(3, 4).own_optimizer() is None
        assert ContrastTerm(3, 4, hidden_size=8).own_optimizer() is None

    def test_center_term_is_the_center_loss(self):
        feature, label = random_feature().float(), torch.tensor(LABELS["all classes"])
        assert torch.equal(CenterTerm(3, 4)(feature, label), CenterLoss(3, 4)(feature, label))

    def test_triplet_term_is_the_triplet_loss(self):
        feature, label = random_feature(), torch.tensor(LABELS["all classes"])
        term = TripletTerm(3, 4, margin=2.0, squared=False, mining="hard")
        assert torch.equal(term(feature, label), TripletLoss(2.0, False, "hard")(feature, label))
        assert torch.equal(TripletTerm(3, 4)(feature, label), TripletLoss(50.0)(feature, label))

    def test_contrast_term_is_the_contrastive_loss_after_three_layers(self):
        term = ContrastTerm(3, 4, temperature=0.2, hidden_size=8, embedding_size=5)
        feature, label = random_feature().float(), torch.tensor(LABELS["all classes"])
        first, second, third = [module for module in term.modules() if isinstance(module, torch.nn.Linear)]
        embedding = F.normalize(third(second(first(feature).relu()).relu()), dim=1)
        assert [layer.out_features for layer in (first, second, third)] == [8, 8, 5]
        torch.testing.assert_close(term(feature, label), SupConLoss(0.2)(embedding, label))

    def test_is_abstract(self):
        with pytest.raises(TypeError, match="abstract"):
            MetricTerm(3, 4)
