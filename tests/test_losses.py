"""Classification losses against slow oracles, their limits and their edge cases."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from lightning_imbal.losses import CrossEntropy, ImbalancedLoss, effective_number_weights, inverse_frequency_weights

COUNTS = torch.tensor([60, 30, 10])


def random_logits(batch: int = 8, num_classes: int = 3) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(batch, num_classes, generator=generator, dtype=torch.float64)
    return logits, torch.arange(batch) % num_classes


def cross_entropy_oracle(
    logits: Tensor, label: Tensor, class_weight: list[float], reduction: str, sample_weight: list[float]
) -> float:
    total, divisor = 0.0, 0.0
    for row, y, w in zip(logits.tolist(), label.tolist(), sample_weight, strict=True):
        probability = math.exp(row[y]) / sum(math.exp(score) for score in row)
        total += w * class_weight[y] * -math.log(probability)
        divisor += class_weight[y] if reduction == "weighted_mean" else 1.0
    return total / divisor


class TestWeights:
    def test_by_hand(self):
        inverse = inverse_frequency_weights(torch.tensor([1, 3]))
        torch.testing.assert_close(inverse, torch.tensor([1.5, 0.5], dtype=torch.float64))
        # Effective numbers at beta = 0.5 are 1 and 1.5, so the weights are as 3 to 2.
        effective = effective_number_weights(torch.tensor([1, 2]), beta=0.5)
        torch.testing.assert_close(effective, torch.tensor([1.2, 0.8], dtype=torch.float64))

    def test_effective_number_formula(self):
        weights = [(1 - 0.99) / (1 - 0.99**n) for n in COUNTS.tolist()]
        expected = [3 * weight / sum(weights) for weight in weights]
        assert effective_number_weights(COUNTS, beta=0.99).tolist() == pytest.approx(expected, rel=1e-12)

    def test_limits(self):
        ones = torch.ones(3, dtype=torch.float64)
        torch.testing.assert_close(inverse_frequency_weights(COUNTS, power=0.0), ones)
        torch.testing.assert_close(effective_number_weights(COUNTS, beta=0.0), ones)
        inverse = inverse_frequency_weights(COUNTS)
        torch.testing.assert_close(effective_number_weights(COUNTS, beta=1.0), inverse)
        torch.testing.assert_close(effective_number_weights(COUNTS, beta=1 - 1e-15), inverse, rtol=1e-12, atol=0)

    @pytest.mark.parametrize("beta", [-0.1, 1.1, math.nan])
    def test_beta_outside_its_range(self, beta: float):
        with pytest.raises(ValueError, match="between 0 and 1"):
            effective_number_weights(COUNTS, beta)


class TestImbalancedLoss:
    def test_is_abstract(self):
        with pytest.raises(TypeError, match="abstract"):
            ImbalancedLoss(COUNTS)

    def test_counts_are_a_float64_buffer(self):
        loss = CrossEntropy(COUNTS)
        assert dict(loss.named_buffers())["class_counts"].dtype == torch.float64
        assert loss.class_counts.tolist() == COUNTS.tolist()

    def test_empty_classes_are_named(self):
        with pytest.raises(ValueError, match="class label 1, 3:"):
            CrossEntropy(torch.tensor([5, 0, 2, 0]))

    def test_set_epoch_is_accepted(self):
        CrossEntropy(COUNTS).set_epoch(1, max_epochs=10)


class TestCrossEntropy:
    @pytest.mark.parametrize("sample_weight", [None, [0.1, 0.9, 0.5, 1.0, 0.0, 0.3, 0.7, 0.2]])
    @pytest.mark.parametrize("reduction", ["weighted_mean", "batch_mean"])
    @pytest.mark.parametrize("weight", ["none", "inverse", "effective"])
    def test_against_the_equation(self, weight: str, reduction: str, sample_weight: list[float] | None):
        class_weight = {
            "none": torch.ones(3),
            "inverse": inverse_frequency_weights(COUNTS, power=0.5),
            "effective": effective_number_weights(COUNTS, beta=0.99),
        }[weight].tolist()
        logits, label = random_logits()
        loss = CrossEntropy(COUNTS, weight, power=0.5, beta=0.99, reduction=reduction)
        scale = None if sample_weight is None else torch.tensor(sample_weight, dtype=torch.float64)
        value = loss(logits, label, scale)
        expected = cross_entropy_oracle(logits, label, class_weight, reduction, sample_weight or [1.0] * 8)
        assert value.dtype == torch.float64
        assert value.item() == pytest.approx(expected, abs=1e-10)

    def test_by_hand(self):
        # Counts 1 and 3 weigh 1.5 and 0.5; the terms are 1.5 log 2 and 0.5 log 4.
        logits = torch.tensor([[0.0, 0.0], [math.log(3), 0.0]], dtype=torch.float64)
        label, counts = torch.tensor([0, 1]), torch.tensor([1, 3])
        weighted = CrossEntropy(counts, "inverse")(logits, label)
        assert weighted.item() == pytest.approx(1.25 * math.log(2), abs=1e-12)
        plain = CrossEntropy(counts)(logits, label)
        assert plain.item() == pytest.approx(1.5 * math.log(2), abs=1e-12)

    @pytest.mark.parametrize(
        "loss",
        [
            CrossEntropy(COUNTS),
            CrossEntropy(COUNTS, reduction="batch_mean"),
            CrossEntropy(COUNTS, "inverse", power=0.0),
            CrossEntropy(COUNTS, "effective", beta=0.0),
            CrossEntropy(torch.tensor([7, 7, 7]), "inverse", reduction="batch_mean"),
            CrossEntropy(torch.tensor([7, 7, 7]), "effective", reduction="batch_mean"),
        ],
    )
    def test_limits_are_plain_cross_entropy(self, loss: CrossEntropy):
        logits, label = random_logits()
        torch.testing.assert_close(loss(logits, label), F.cross_entropy(logits, label), rtol=0, atol=1e-12)

    def test_weighted_mean_is_that_of_torch(self):
        logits, label = random_logits()
        expected = F.cross_entropy(logits, label, weight=inverse_frequency_weights(COUNTS))
        torch.testing.assert_close(CrossEntropy(COUNTS, "inverse")(logits, label), expected, rtol=0, atol=1e-12)

    @pytest.mark.parametrize("reduction", ["weighted_mean", "batch_mean"])
    def test_sample_weight_is_no_part_of_the_divisor(self, reduction: str):
        logits, label = random_logits()
        loss = CrossEntropy(COUNTS, "inverse", reduction=reduction)
        halves = torch.full((8,), 0.5, dtype=torch.float64)
        torch.testing.assert_close(loss(logits, label, halves), loss(logits, label) / 2)

    def test_class_absent_from_batch(self):
        logits, label = random_logits(2)
        logits.requires_grad_()
        loss = CrossEntropy(COUNTS, "inverse")(logits, label)
        loss.backward()
        expected = cross_entropy_oracle(
            logits, label, inverse_frequency_weights(COUNTS).tolist(), "weighted_mean", [1.0] * 2
        )
        assert loss.item() == pytest.approx(expected, abs=1e-10)
        assert logits.grad.isfinite().all()

    @pytest.mark.parametrize("reduction", ["weighted_mean", "batch_mean"])
    def test_gradient(self, reduction: str):
        logits, label = random_logits()
        loss = CrossEntropy(COUNTS, "effective", reduction=reduction)
        sample_weight = torch.linspace(0, 1, 8, dtype=torch.float64)
        assert torch.autograd.gradcheck(lambda x: loss(x, label, sample_weight), logits.requires_grad_())

    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
    def test_half_precision_is_computed_in_float32(self, dtype: torch.dtype):
        logits, label = random_logits()
        loss = CrossEntropy(COUNTS, "inverse")
        value = loss((1000 * logits).to(dtype), label)
        assert value.dtype == torch.float32
        torch.testing.assert_close(value, loss((1000 * logits).to(dtype).float(), label))

    def test_unknown_names_list_the_known(self):
        with pytest.raises(ValueError, match="none, inverse or effective, but is 'inverted'"):
            CrossEntropy(COUNTS, weight="inverted")
        with pytest.raises(ValueError, match="weighted_mean or batch_mean, but is 'mean'"):
            CrossEntropy(COUNTS, reduction="mean")
