"""Classifier heads: what they compute, what they load, what they refuse."""

import copy
import math
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lightning_imbal.heads import ClosedFormHead, LearnableScale, NearestClassMean, NormedLinear, TauNormalized

CLASSES, DIM = 3, 4
LABEL = torch.tensor([0, 0, 0, 1, 1, 1, 2, 2])
every_head = pytest.mark.parametrize("factory", [NormedLinear, LearnableScale, NearestClassMean, TauNormalized])


def random_feature(batch: int = 8, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(batch, DIM, generator=generator)


def cosine(a: list[float], b: list[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True)) / math.hypot(*a) / math.hypot(*b)


def balanced_accuracy(logits: list[list[float]], label: list[int]) -> float:
    guess = [row.index(max(row)) for row in logits]
    recalls = []
    for c in sorted(set(label)):
        hits = [g == c for g, y in zip(guess, label, strict=True) if y == c]
        recalls.append(sum(hits) / len(hits))
    return sum(recalls) / len(recalls)


class Classifier(nn.Module):
    def __init__(self, head: nn.Module) -> None:
        super().__init__()
        self.head = head


@every_head
def test_head_maps_features_to_logits(factory):
    head = factory(DIM, CLASSES)
    assert head(random_feature()).shape == (8, CLASSES)


@every_head
def test_head_loads_its_own_state(factory):
    torch.manual_seed(0)
    trained, fresh = factory(DIM, CLASSES), factory(DIM, CLASSES)
    with torch.no_grad():
        for value in trained.state_dict().values():
            value.uniform_(0.5, 1.5)
    Classifier(fresh).load_state_dict(Classifier(trained).state_dict())
    torch.testing.assert_close(fresh(random_feature()), trained(random_feature()), rtol=0, atol=0)
    assert not torch.equal(fresh(random_feature()), factory(DIM, CLASSES)(random_feature()))


class TestNormedLinear:
    def test_against_the_equation(self):
        feature, head = random_feature(), NormedLinear(DIM, CLASSES, scale=20.0)
        with torch.no_grad():
            head.weight *= torch.tensor([0.5, 2.0, 7.0])
        expected = [[20 * cosine(x, w) for w in head.weight.T.tolist()] for x in feature.tolist()]
        torch.testing.assert_close(head(feature), torch.tensor(expected))

    def test_by_hand(self):
        head = NormedLinear(2, 2)
        with torch.no_grad():
            head.weight.copy_(torch.tensor([[3.0, 0.0], [4.0, -2.0]]))
        torch.testing.assert_close(head(torch.tensor([[5.0, 0.0]])), torch.tensor([[18.0, 0.0]]))

    def test_starts_with_columns_of_unit_length(self):
        weight = NormedLinear(DIM, CLASSES).weight
        assert weight.shape == (DIM, CLASSES)
        torch.testing.assert_close(weight.norm(dim=0), torch.ones(CLASSES))
        assert (weight < 0).any() and (weight > 0).any()

    def test_gradient(self):
        head = NormedLinear(DIM, CLASSES).double()
        assert torch.autograd.gradcheck(head, random_feature().double().requires_grad_())

    def test_zero_feature(self):
        feature = torch.zeros(1, DIM, requires_grad=True)
        logits = NormedLinear(DIM, CLASSES)(feature)
        logits.sum().backward()
        assert torch.equal(logits, torch.zeros(1, CLASSES))
        assert feature.grad.isfinite().all()

    def test_autocast_changes_nothing(self):
        feature, head = random_feature(), NormedLinear(DIM, CLASSES)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            inside = head(feature)
        torch.testing.assert_close(inside, head(feature), rtol=0, atol=0)

    @pytest.mark.parametrize("factory", [NormedLinear, NearestClassMean])
    def test_scale_must_be_positive(self, factory):
        with pytest.raises(ValueError, match="^scale must be positive, but is 0"):
            factory(DIM, CLASSES, scale=0)


class TestLearnableScale:
    def test_scales_logits_and_bias(self):
        feature, head = random_feature(), LearnableScale(DIM, CLASSES)
        with torch.no_grad():
            head.scale.copy_(torch.tensor([1.0, 2.0, 3.0]))
        plain = F.linear(feature, head.weight, head.bias)
        torch.testing.assert_close(head(feature), plain * torch.tensor([1.0, 2.0, 3.0]))

    def test_trains_only_the_scale(self):
        head = LearnableScale(DIM, CLASSES)
        assert [name for name, value in head.named_parameters() if value.requires_grad] == ["scale"]
        head(random_feature()).square().sum().backward()
        assert head.weight.grad is None and head.bias.grad is None
        assert (head.scale.grad != 0).all()

    @pytest.mark.parametrize("wrap", [nn.Identity, Classifier], ids=["alone", "as a part"])
    def test_loads_a_linear_layer(self, wrap):
        linear, head = nn.Linear(DIM, CLASSES), LearnableScale(DIM, CLASSES)
        if wrap is Classifier:
            Classifier(head).load_state_dict(Classifier(linear).state_dict())
        else:
            head.load_state_dict(linear.state_dict())
        torch.testing.assert_close(head(random_feature()), linear(random_feature()))
        assert torch.equal(head.scale, torch.ones(CLASSES))

    def test_other_missing_keys_are_refused(self):
        with pytest.raises(RuntimeError, match="weight"):
            LearnableScale(DIM, CLASSES).load_state_dict({"bias": torch.zeros(CLASSES)})

    def test_copy_loads_into_itself(self):
        head = LearnableScale(DIM, CLASSES)
        twin = copy.deepcopy(head)
        with torch.no_grad():
            twin.scale.fill_(2.0)
        twin.load_state_dict(nn.Linear(DIM, CLASSES).state_dict())
        assert torch.equal(twin.scale, torch.full((CLASSES,), 2.0))


class TestNearestClassMean:
    def test_against_the_equation(self):
        train, feature = random_feature(), random_feature(5, seed=1)
        head = NearestClassMean(DIM, CLASSES, scale=10.0)
        head.solve((train, LABEL), None)
        means = []
        for c in range(CLASSES):
            members = [x for x, y in zip(train.tolist(), LABEL.tolist(), strict=True) if y == c]
            means.append([sum(column) / len(members) for column in zip(*members, strict=True)])
        expected = [[10 * cosine(x, mean) for mean in means] for x in feature.tolist()]
        torch.testing.assert_close(head(feature), torch.tensor(expected))

    def test_by_hand(self):
        # The features of class 0 are averaged as they are: (3, 4), of length 5.
        head = NearestClassMean(2, 2)
        head.solve((torch.tensor([[6.0, 0.0], [0.0, 8.0], [0.0, -1.0]]), torch.tensor([0, 0, 1])), None)
        torch.testing.assert_close(head.class_mean, torch.tensor([[0.6, 0.8], [0.0, -1.0]]))
        torch.testing.assert_close(head(torch.tensor([[2.0, 0.0]])), torch.tensor([[18.0, 0.0]]))

    def test_mean_of_many_features_is_exact(self):
        # Summed one by one in float32, 0.1 and 0.3 drift apart.
        feature = torch.tensor([[0.1, 0.3]]).repeat(100_000, 1)
        head = NearestClassMean(2, 1)
        head.solve((feature, torch.zeros(100_000, dtype=torch.long)), None)
        torch.testing.assert_close(head.class_mean, F.normalize(feature[:1]), rtol=1e-6, atol=0)

    def test_solves_anew(self):
        head, once = NearestClassMean(DIM, CLASSES), NearestClassMean(DIM, CLASSES)
        head.solve((random_feature(seed=1), LABEL), None)
        head.solve((random_feature(), LABEL), None)
        once.solve((random_feature(), LABEL), None)
        assert torch.equal(head.class_mean, once.class_mean)

    def test_has_no_parameters(self):
        assert list(NearestClassMean(DIM, CLASSES).parameters()) == []

    def test_half_precision_features(self):
        head, precise = NearestClassMean(DIM, CLASSES), NearestClassMean(DIM, CLASSES)
        feature = random_feature().half()
        head.solve((feature, LABEL), None)
        precise.solve((feature.float(), LABEL), None)
        assert torch.equal(head.class_mean, precise.class_mean)

    def test_class_without_feature_is_named(self):
        with pytest.raises(ValueError, match="class label 1:"):
            NearestClassMean(DIM, CLASSES).solve((random_feature(4), torch.tensor([0, 2, 2, 0])), None)


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


def test_closed_form_head_is_abstract():
    with pytest.raises(TypeError, match="abstract"):
        ClosedFormHead()
