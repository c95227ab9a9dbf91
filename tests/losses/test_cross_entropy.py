"""Classification losses against slow oracles, their limits and their edge cases."""

import math

import pytest
import torch
import torch.nn.functional as F
from loss_oracles import COUNTS, cross_entropy_oracle
from torch import Tensor

from lightning_imbal.losses import CrossEntropy, effective_number_weights, inverse_frequency_weights


def random_logits(batch: int = 8, num_classes: int = 3) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(batch, num_classes, generator=generator, dtype=torch.float64)
    return logits, torch.arange(batch) % num_classes


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
