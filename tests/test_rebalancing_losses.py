"""Losses that re-balance classes or samples against slow oracles, their limits and their edge cases."""

import math
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from lightning_imbal.losses import (
    BWCE,
    LDAM,
    MWNL,
    OHEM,
    ClassBalancedFocal,
    CrossEntropy,
    Deferred,
    Focal,
    ImbalancedLoss,
    LogitAdjusted,
    effective_number_weights,
)

COUNTS = torch.tensor([60, 30, 10])
EQUAL = torch.tensor([7, 7, 7])
SAMPLE_WEIGHT = [0.1, 0.9, 0.5, 1.0, 0.0, 0.3, 0.7, 0.2]


def deferred_late(class_counts: Tensor) -> Deferred:
    loss = Deferred(class_counts, LDAM)
    loss.set_epoch(10, 10)
    return loss


EVERY_LOSS = {
    "focal": Focal,
    "focal below 1": partial(Focal, gamma=0.5),
    "sigmoid focal": partial(Focal, form="sigmoid"),
    "class-balanced focal": ClassBalancedFocal,
    "class-balanced softmax focal": partial(ClassBalancedFocal, form="softmax"),
    "ldam": LDAM,
    "logit adjusted": LogitAdjusted,
    "mwnl fix": MWNL,
    "mwnl zero": partial(MWNL, clip="zero"),
    "mwnl decrease": partial(MWNL, clip="decrease"),
    "mwnl unclipped": partial(MWNL, clip="decrease", beta=0.0),
    "mwnl normal": partial(MWNL, reduction="normal"),
    "ohem": OHEM,
    "bwce": BWCE,
    "deferred": deferred_late,
    "smooth cross-entropy": partial(CrossEntropy, weight="inverse", label_smoothing=0.1),
}
every_loss = pytest.mark.parametrize("factory", EVERY_LOSS.values(), ids=EVERY_LOSS.keys())
weighted_or_not = pytest.mark.parametrize("sample_weight", [None, SAMPLE_WEIGHT], ids=["plain", "sample_weight"])


def random_logits(batch: int = 8, num_classes: int = 3, scale: float = 2.0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    logits = scale * torch.randn(batch, num_classes, generator=generator, dtype=torch.float64)
    return logits, torch.arange(batch) % num_classes


def value_of(loss: ImbalancedLoss, sample_weight: list[float] | None, logits: Tensor, label: Tensor) -> float:
    weight = None if sample_weight is None else torch.tensor(sample_weight, dtype=torch.float64)
    value = loss(logits, label, weight)
    assert value.shape == () and value.dtype == torch.float64
    return value.item()


def sigmoid(score: float) -> float:
    return 1 / (1 + math.exp(-score))


def softmax(scores: list[float]) -> list[float]:
    total = sum(math.exp(score) for score in scores)
    return [math.exp(score) / total for score in scores]


def focal_term(scores: list[float], y: int, gamma: float, form: str) -> float:
    if form == "softmax":
        p = softmax(scores)[y]
        return (1 - p) ** gamma * -math.log(p)
    total = 0.0
    for c, score in enumerate(scores):
        p = sigmoid(score) if c == y else 1 - sigmoid(score)
        total += (1 - p) ** gamma * -math.log(p)
    return total


def effective_weights(beta: float) -> list[float]:
    weights = [(1 - beta) / (1 - beta**n) for n in COUNTS.tolist()]
    return [3 * weight / sum(weights) for weight in weights]


class TestEveryLoss:
    @every_loss
    def test_gradient(self, factory):
        logits, label = random_logits()
        sample_weight = torch.linspace(0.1, 1, 8, dtype=torch.float64)
        assert torch.autograd.gradcheck(lambda x: factory(COUNTS)(x, label, sample_weight), logits.requires_grad_())

    @every_loss
    def test_sample_weight_is_no_part_of_the_divisor(self, factory):
        logits, label = random_logits()
        halves = torch.full((8,), 0.5, dtype=torch.float64)
        torch.testing.assert_close(factory(COUNTS)(logits, label, halves), factory(COUNTS)(logits, label) / 2)

    @every_loss
    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
    def test_half_precision_is_computed_in_float32(self, factory, dtype: torch.dtype):
        logits, label = random_logits(scale=1000)
        logits = logits.to(dtype).requires_grad_()
        value = factory(COUNTS)(logits, label)
        value.backward()
        assert value.dtype == torch.float32
        torch.testing.assert_close(value, factory(COUNTS)(logits.float(), label))
        assert logits.grad.isfinite().all()

    @every_loss
    def test_autocast_changes_nothing(self, factory):
        logits, label = random_logits()
        outside = factory(COUNTS)(logits.float(), label)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            torch.testing.assert_close(factory(COUNTS)(logits.float(), label), outside, rtol=0, atol=0)

    @every_loss
    @pytest.mark.parametrize("score", [100.0, -100.0])
    def test_sure_samples_have_finite_gradients(self, factory, score: float):
        label = torch.arange(3)
        logits = (score * torch.eye(3)).requires_grad_()
        value = factory(COUNTS)(logits, label)
        value.backward()
        assert value.isfinite()
        assert logits.grad.isfinite().all()

    @every_loss
    def test_class_absent_from_batch(self, factory):
        logits, _ = random_logits(4)
        value = factory(COUNTS)(logits.requires_grad_(), torch.tensor([0, 0, 2, 0]))
        value.backward()
        assert value.item() > 0
        assert logits.grad.isfinite().all()

    @every_loss
    def test_empty_class_is_named(self, factory):
        with pytest.raises(ValueError, match="class label 1:"):
            factory(torch.tensor([5, 0, 2]))


class TestLabelSmoothing:
    @pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
    def test_weighted_mean_is_that_of_torch(self, smoothing: float):
        logits, label = random_logits()
        loss = CrossEntropy(COUNTS, "inverse", label_smoothing=smoothing)
        expected = F.cross_entropy(logits, label, weight=loss.class_weight, label_smoothing=smoothing)
        torch.testing.assert_close(loss(logits, label), expected, rtol=0, atol=1e-12)

    @weighted_or_not
    @pytest.mark.parametrize("reduction", ["weighted_mean", "batch_mean"])
    def test_against_the_equation(self, reduction: str, sample_weight: list[float] | None):
        logits, label = random_logits()
        loss = CrossEntropy(COUNTS, "inverse", reduction=reduction, label_smoothing=0.3)
        weights, total, divisor = loss.class_weight.tolist(), 0.0, 0.0
        for row, y, w in zip(logits.tolist(), label.tolist(), sample_weight or [1.0] * 8, strict=True):
            for c, p in enumerate(softmax(row)):
                target = 0.3 / 3 + (0.7 if c == y else 0.0)
                total += w * target * weights[c] * -math.log(p)
            divisor += weights[y] if reduction == "weighted_mean" else 1.0
        assert value_of(loss, sample_weight, logits, label) == pytest.approx(total / divisor, abs=1e-10)

    @pytest.mark.parametrize("smoothing", [-0.1, 1.1, math.nan])
    def test_outside_its_range(self, smoothing: float):
        with pytest.raises(ValueError, match="^label_smoothing must lie between 0 and 1"):
            CrossEntropy(COUNTS, label_smoothing=smoothing)


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


class TestLDAM:
    @weighted_or_not
    def test_against_the_equation(self, sample_weight: list[float] | None):
        logits, label = random_logits()
        margins = [0.4 * n**-0.25 / 10**-0.25 for n in COUNTS.tolist()]
        terms = []
        for row, y, w in zip(logits.tolist(), label.tolist(), sample_weight or [1.0] * 8, strict=True):
            shifted = [score - (5 * margins[y] if c == y else 0.0) for c, score in enumerate(row)]
            terms.append(w * -math.log(softmax(shifted)[y]))
        value = value_of(LDAM(COUNTS, max_margin=0.4, scale=5.0), sample_weight, logits, label)
        assert value == pytest.approx(sum(terms) / 8, abs=1e-10)

    def test_by_hand(self):
        # Counts 16 and 1 have the margins 1/4 and 1/2; times the scale 2 they are 1/2 and 1.
        loss = LDAM(torch.tensor([16, 1]), scale=2.0)
        assert loss.margin.tolist() == pytest.approx([0.25, 0.5], abs=1e-12)
        logits = torch.tensor([[0.5, 0.0], [0.0, 1.0]], dtype=torch.float64)
        assert loss(logits, torch.tensor([0, 1])).item() == pytest.approx(math.log(2), abs=1e-12)

    def test_equal_counts_have_the_largest_margin(self):
        assert LDAM(EQUAL).margin.tolist() == [0.5, 0.5, 0.5]

    def test_no_margin_is_cross_entropy(self):
        logits, label = random_logits()
        torch.testing.assert_close(LDAM(COUNTS, max_margin=0.0)(logits, label), F.cross_entropy(logits, label))

    def test_arguments_outside_their_range(self):
        with pytest.raises(ValueError, match="^max_margin must not be negative"):
            LDAM(COUNTS, max_margin=-0.5)
        with pytest.raises(ValueError, match="^scale must be positive, but is 0"):
            LDAM(COUNTS, scale=0)


class TestLogitAdjusted:
    @weighted_or_not
    @pytest.mark.parametrize("tau", [0.5, 1.0])
    def test_against_the_equation(self, tau: float, sample_weight: list[float] | None):
        logits, label = random_logits()
        terms = []
        for row, y, w in zip(logits.tolist(), label.tolist(), sample_weight or [1.0] * 8, strict=True):
            shifted = [score + tau * math.log(n / 100) for score, n in zip(row, COUNTS.tolist(), strict=True)]
            terms.append(w * -math.log(softmax(shifted)[y]))
        value = value_of(LogitAdjusted(COUNTS, tau), sample_weight, logits, label)
        assert value == pytest.approx(sum(terms) / 8, abs=1e-10)

    def test_by_hand(self):
        # Equal logits leave the prior: -log(10 / 100).
        loss = LogitAdjusted(COUNTS)(torch.zeros(1, 3, dtype=torch.float64), torch.tensor([2]))
        assert loss.item() == pytest.approx(math.log(10), abs=1e-12)

    @pytest.mark.parametrize("loss", [LogitAdjusted(COUNTS, tau=0.0), LogitAdjusted(EQUAL)])
    def test_limits_are_plain_cross_entropy(self, loss: LogitAdjusted):
        logits, label = random_logits()
        torch.testing.assert_close(loss(logits, label), F.cross_entropy(logits, label))

    def test_tau_outside_its_range(self):
        with pytest.raises(ValueError, match="^tau must not be negative"):
            LogitAdjusted(COUNTS, tau=-1.0)


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


class TestOHEM:
    @weighted_or_not
    @pytest.mark.parametrize("keep_ratio, min_kept, kept", [(0.7, 1, 6), (0.25, 1, 2), (0.25, 3, 3), (0.0, 1, 1)])
    def test_against_the_equation(self, keep_ratio: float, min_kept: int, kept: int, sample_weight: list[float] | None):
        logits, label = random_logits()
        terms = [
            w * -math.log(softmax(row)[y])
            for row, y, w in zip(logits.tolist(), label.tolist(), sample_weight or [1.0] * 8, strict=True)
        ]
        expected = sum(sorted(terms, reverse=True)[:kept]) / kept
        assert value_of(OHEM(COUNTS, keep_ratio, min_kept), sample_weight, logits, label) == pytest.approx(expected)

    def test_by_hand(self):
        # The cross-entropies are log 2 and log 4; the harder one is kept.
        logits = torch.tensor([[0.0, 0.0], [math.log(3), 0.0]], dtype=torch.float64)
        loss = OHEM(torch.tensor([1, 1]), keep_ratio=0.5)(logits, torch.tensor([0, 1]))
        assert loss.item() == pytest.approx(math.log(4), abs=1e-12)

    @pytest.mark.parametrize("loss", [OHEM(COUNTS, keep_ratio=1.0), OHEM(COUNTS, min_kept=100)])
    def test_whole_batch_is_cross_entropy(self, loss: OHEM):
        logits, label = random_logits()
        torch.testing.assert_close(loss(logits, label), F.cross_entropy(logits, label))

    @pytest.mark.parametrize("keep_ratio, batch, kept", [(0.7, 10, 7), (0.07, 100, 7), (0.28, 25, 7), (0.5, 3, 2)])
    def test_rounding_keeps_no_sample_too_many(self, keep_ratio: float, batch: int, kept: int):
        logits, label = random_logits(batch)
        logits.requires_grad_()
        OHEM(COUNTS, keep_ratio)(logits, label).backward()
        assert (logits.grad != 0).any(dim=1).sum() == kept

    def test_arguments_outside_their_range(self):
        with pytest.raises(ValueError, match="^keep_ratio must lie between 0 and 1"):
            OHEM(COUNTS, keep_ratio=1.2)
        with pytest.raises(ValueError, match="^min_kept must be at least 1, but is 0"):
            OHEM(COUNTS, min_kept=0)


class TestDeferred:
    @pytest.mark.parametrize("max_epochs, last_plain", [(200, 160), (10, 8), (1, 1), (3, 2), (400, 320)])
    def test_switches_after_the_fraction_of_the_epochs(self, max_epochs: int, last_plain: int):
        logits, label = random_logits()
        plain = CrossEntropy(COUNTS)(logits, label)
        weighted = CrossEntropy(COUNTS, "effective")(logits, label)
        loss = Deferred(COUNTS, CrossEntropy)
        for epoch in {1, last_plain, min(last_plain + 1, max_epochs), max_epochs}:
            loss.set_epoch(epoch, max_epochs)
            torch.testing.assert_close(loss(logits, label), plain if epoch <= last_plain else weighted)
        assert (plain - weighted).abs() > 1e-3

    @pytest.mark.parametrize("start, epoch", [(0.0, 1), (0.5, 6)])
    def test_weighted_mean_is_that_of_torch(self, start: float, epoch: int):
        logits, label = random_logits()
        loss = Deferred(COUNTS, partial(LDAM, scale=3.0), start=start, beta=0.99)
        loss.set_epoch(epoch, max_epochs=10)
        shifted = logits - 3 * loss.loss.margin * F.one_hot(label, 3)
        expected = F.cross_entropy(shifted, label, weight=effective_number_weights(COUNTS, 0.99))
        torch.testing.assert_close(loss(logits, label), expected, rtol=0, atol=1e-12)

    def test_given_sample_weight_is_no_part_of_the_divisor(self):
        logits, label = random_logits()
        loss = Deferred(COUNTS, CrossEntropy, beta=0.99)
        loss.set_epoch(10, max_epochs=10)
        weights, total, divisor = effective_weights(0.99), 0.0, 0.0
        for row, y, w in zip(logits.tolist(), label.tolist(), SAMPLE_WEIGHT, strict=True):
            total += w * weights[y] * -math.log(softmax(row)[y])
            divisor += weights[y]
        assert value_of(loss, SAMPLE_WEIGHT, logits, label) == pytest.approx(total / divisor, abs=1e-10)

    def test_by_hand(self):
        # Effective numbers at beta = 0.5 are 1 and 1.5, so the terms log 2 and log 4 weigh 3 to 2.
        logits = torch.tensor([[0.0, 0.0], [math.log(3), 0.0]], dtype=torch.float64)
        loss = Deferred(torch.tensor([1, 2]), CrossEntropy, beta=0.5)
        loss.set_epoch(10, max_epochs=10)
        value = loss(logits, torch.tensor([0, 1])).item()
        assert value == pytest.approx((3 * math.log(2) + 2 * math.log(4)) / 5, abs=1e-12)

    def test_plain_before_the_first_epoch(self):
        logits, label = random_logits()
        loss = Deferred(COUNTS, Focal, start=0.0)
        torch.testing.assert_close(loss(logits, label), Focal(COUNTS)(logits, label), rtol=0, atol=0)

    def test_epoch_is_no_part_of_the_state(self):
        late, early = Deferred(COUNTS, CrossEntropy), Deferred(COUNTS, CrossEntropy)
        late.set_epoch(10, max_epochs=10)
        early.load_state_dict(late.state_dict())
        logits, label = random_logits()
        torch.testing.assert_close(early(logits, label), F.cross_entropy(logits, label))

    def test_inner_loss_is_found_among_the_modules(self):
        loss = Deferred(COUNTS, MWNL)
        assert [type(module) for module in loss.modules()] == [Deferred, MWNL]

    def test_arguments_outside_their_range(self):
        with pytest.raises(ValueError, match="^start must lie between 0 and 1, but is 160"):
            Deferred(COUNTS, CrossEntropy, start=160)
        with pytest.raises(ValueError, match="^beta must lie between 0 and 1"):
            Deferred(COUNTS, CrossEntropy, beta=-1.0)
        with pytest.raises(ValueError, match="^Deferred needs to know .* max_epochs is -1"):
            Deferred(COUNTS, CrossEntropy).set_epoch(1, max_epochs=-1)
