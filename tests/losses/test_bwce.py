"""Balanced-weighted cross-entropy against a slow oracle, its stages, its limits and its edge cases."""

import math

import pytest
import torch
import torch.nn.functional as F
from loss_oracles import cross_entropy_oracle
from torch import Tensor

from lightning_imbal.losses import BWCE

COUNTS, F1 = [60, 30, 10], [0.9, 0.5, 0.2]
SAMPLE_WEIGHT = torch.tensor([0.1, 0.9, 0.5, 1.0, 0.0, 0.3, 0.7, 0.2], dtype=torch.float64)
every_reduction = pytest.mark.parametrize("reduction", ["weighted_mean", "batch_mean"])


def random_logits(batch: int = 8) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return 2 * torch.randn(batch, 3, generator=generator, dtype=torch.float64), torch.arange(batch) % 3


def bwce(epoch: int, max_epochs: int = 100, f1: list[float] | None = None, **options) -> BWCE:
    loss = BWCE(torch.tensor(COUNTS), **options)
    loss.set_difficulty(torch.tensor(F1 if f1 is None else f1, dtype=torch.float64))
    loss.set_epoch(epoch, max_epochs)
    return loss


def inverse(value: list[float], power: float) -> list[float]:
    return [(3 * (1 / v) / sum(1 / u for u in value)) ** power for v in value]


def weight_oracle(epoch: int, first: float, second: float, max_epochs: int) -> list[float]:
    if epoch <= first:
        return [1.0] * 3
    if epoch <= second:
        return inverse(COUNTS, (epoch - first) / (second - first))
    return inverse(F1, (epoch - second) / (max_epochs - second))


class TestForward:
    @pytest.mark.parametrize("sample_weight", [None, SAMPLE_WEIGHT], ids=["plain", "sample_weight"])
    @every_reduction
    @pytest.mark.parametrize("epoch", [1, 20, 21, 35, 50, 51, 75, 100])
    def test_against_the_equation(self, epoch: int, reduction: str, sample_weight: Tensor | None):
        logits, label = random_logits()
        value = bwce(epoch, reduction=reduction)(logits, label, sample_weight)
        scale = [1.0] * 8 if sample_weight is None else sample_weight.tolist()
        expected = cross_entropy_oracle(logits, label, weight_oracle(epoch, 20, 50, 100), reduction, scale)
        assert value.dtype == torch.float64
        assert value.item() == pytest.approx(expected, abs=1e-10)

    @pytest.mark.parametrize("epoch", [1, 35, 75])
    def test_weighted_mean_is_that_of_torch(self, epoch: int):
        logits, label = random_logits()
        weight = torch.tensor(weight_oracle(epoch, 20, 50, 100), dtype=torch.float64)
        expected = F.cross_entropy(logits, label, weight=weight)
        value = bwce(epoch, reduction="weighted_mean")(logits, label)
        torch.testing.assert_close(value, expected, rtol=0, atol=1e-12)

    def test_by_hand(self):
        # Counts 1 and 3 weigh 1.5 and 0.5, and so do the F1 0.2 and 0.6, but with them a quarter of the way: to 1/4.
        logits = torch.tensor([[0.0, 0.0], [math.log(3), 0.0]], dtype=torch.float64)
        loss = BWCE(torch.tensor([1, 3]))
        loss.set_difficulty(torch.tensor([0.2, 0.6], dtype=torch.float64))
        loss.set_epoch(4, 8)
        label = torch.tensor([0, 1])
        assert loss(logits, label).item() == pytest.approx(1.25 * math.log(2), abs=1e-12)
        loss.set_epoch(5, 8)
        expected = (1.5**0.25 + 2 * 0.5**0.25) * math.log(2) / 2
        assert loss(logits, label).item() == pytest.approx(expected, abs=1e-12)

    def test_batch_mean_is_the_default(self):
        logits, label = random_logits()
        torch.testing.assert_close(bwce(35)(logits, label), bwce(35, reduction="batch_mean")(logits, label))

    @every_reduction
    def test_sample_weight_is_no_part_of_the_divisor(self, reduction: str):
        logits, label = random_logits()
        loss = bwce(75, reduction=reduction)
        torch.testing.assert_close(loss(logits, label, torch.full((8,), 0.5)), loss(logits, label) / 2)

    @every_reduction
    @pytest.mark.parametrize("epoch", [1, 35, 75])
    def test_gradient(self, epoch: int, reduction: str):
        logits, label = random_logits()
        loss = bwce(epoch, reduction=reduction)
        assert torch.autograd.gradcheck(lambda x: loss(x, label, SAMPLE_WEIGHT), logits.requires_grad_())

    @every_reduction
    @pytest.mark.parametrize("epoch", [1, 35, 75])
    def test_one_sample(self, epoch: int, reduction: str):
        logits, label = torch.zeros(1, 3, requires_grad=True), torch.tensor([2])
        loss = bwce(epoch, reduction=reduction)(logits, label)
        loss.backward()
        weight = 1.0 if reduction == "weighted_mean" else weight_oracle(epoch, 20, 50, 100)[2]
        assert loss.item() == pytest.approx(weight * math.log(3), rel=1e-6)
        assert logits.grad.isfinite().all()

    def test_bfloat16_is_computed_in_float32(self):
        logits, label = random_logits()
        loss = bwce(75)
        with torch.autocast("cpu", torch.bfloat16):
            value = loss(logits.bfloat16(), label)
        assert value.dtype == torch.float32
        torch.testing.assert_close(value, loss(logits.bfloat16().float(), label), rtol=0, atol=0)


class TestStages:
    @pytest.mark.parametrize("epoch", range(1, 9))
    def test_end_between_epochs(self, epoch: int):
        # The first of eight epochs is plain (up to 1.6), the next three go by class size (up to 4).
        expected = weight_oracle(epoch, 1.6, 4, 8)
        assert bwce(epoch, max_epochs=8).class_weight.tolist() == pytest.approx(expected, rel=1e-12)

    @pytest.mark.parametrize("max_epochs", [1, 2, 3])
    def test_few_epochs_end_with_the_full_weights_by_difficulty(self, max_epochs: int):
        weight = bwce(max_epochs, max_epochs).class_weight
        assert weight.tolist() == pytest.approx(inverse(F1, 1), rel=1e-12)

    @pytest.mark.parametrize("fraction", [0.29, 0.57, 0.58])
    def test_a_stage_includes_its_last_epoch(self, fraction: float):
        epoch = round(100 * fraction)
        assert fraction * 100 < epoch
        weight = bwce(epoch, warm=0.1, balanced=fraction).class_weight
        assert weight.tolist() == pytest.approx(inverse(COUNTS, 1), rel=1e-9)

    def test_weights_are_equal_before_the_first_epoch(self):
        assert BWCE(torch.tensor(COUNTS)).class_weight.tolist() == [1.0] * 3

    @pytest.mark.parametrize("epoch", [21, 50])
    def test_first_stages_do_not_depend_on_difficulty(self, epoch: int):
        assert torch.equal(bwce(epoch).class_weight, bwce(epoch, f1=[0.1, 0.2, 0.3]).class_weight)

    @pytest.mark.parametrize("epoch", [1, 20, 21, 35, 50])
    def test_equal_classes_weigh_one_until_difficulty_counts(self, epoch: int):
        loss = BWCE(torch.tensor([7, 7, 7]))
        loss.set_difficulty(torch.tensor(F1))
        loss.set_epoch(epoch, 100)
        assert loss.class_weight.tolist() == pytest.approx([1.0] * 3, abs=1e-12)
        loss.set_epoch(51, 100)
        assert loss.class_weight.tolist() != pytest.approx([1.0] * 3, abs=1e-4)

    def test_no_middle_stage(self):
        weights = {epoch: bwce(epoch, warm=0.5, balanced=0.5).class_weight.tolist() for epoch in (50, 51, 100)}
        assert weights[50] == [1.0] * 3
        assert weights[51] == pytest.approx(weight_oracle(51, 50, 50, 100), rel=1e-12)
        assert weights[100] == pytest.approx(weight_oracle(100, 50, 50, 100), rel=1e-12)

    def test_no_last_stage(self):
        assert BWCE(torch.tensor(COUNTS)).needs_difficulty
        assert not BWCE(torch.tensor(COUNTS), balanced=1.0).needs_difficulty
        weight = bwce(100, balanced=1.0).class_weight
        assert weight.tolist() == pytest.approx(inverse(COUNTS, 1), rel=1e-12)

    def test_no_plain_stage(self):
        assert bwce(1, warm=0.0).class_weight.tolist() == pytest.approx(weight_oracle(1, 0, 50, 100), rel=1e-12)

    def test_always_plain(self):
        assert bwce(100, warm=1.0, balanced=1.0).class_weight.tolist() == [1.0] * 3


class TestDifficulty:
    @pytest.mark.parametrize(
        ("f1", "expected"),
        [
            ([0.0, 0.5, 1.0], [0.01, 0.5, 1.0]),
            ([0.0, 0.009, 0.011], [0.01, 0.01, 0.011]),
            ([0.2, math.nan, 0.6], [0.2, 0.4, 0.6]),
            ([math.nan, math.nan, 0.3], [0.3, 0.3, 0.3]),
            ([0.0, 0.0, 0.0], [0.01, 0.01, 0.01]),
            ([math.nan, 0.0, math.nan], [0.01, 0.01, 0.01]),
        ],
    )
    def test_f1_that_has_no_inverse(self, f1: list[float], expected: list[float]):
        for epoch in (51, 75, 100):
            weight = bwce(epoch, f1=f1).class_weight
            assert weight.isfinite().all()
            assert weight.tolist() == pytest.approx(inverse(expected, (epoch - 50) / 50), rel=1e-12)

    def test_no_class_has_an_f1(self):
        assert bwce(75, f1=[math.nan] * 3).class_weight.tolist() == pytest.approx([1.0] * 3, abs=1e-12)

    def test_weights_are_equal_while_no_f1_is_known(self):
        loss = BWCE(torch.tensor(COUNTS), warm=0.0, balanced=0.0)
        loss.set_epoch(1, 4)
        assert loss.class_weight.tolist() == pytest.approx([1.0] * 3, abs=1e-12)

    def test_counts_at_once_and_in_the_next_epoch(self):
        loss, f1 = bwce(75), [0.1, 0.2, 0.3]
        loss.set_difficulty(torch.tensor(f1, dtype=torch.float64))
        assert loss.class_weight.tolist() == pytest.approx(inverse(f1, 25 / 50), rel=1e-12)
        loss.set_epoch(76, 100)
        assert loss.class_weight.tolist() == pytest.approx(inverse(f1, 26 / 50), rel=1e-12)

    @pytest.mark.parametrize(("epoch", "power"), [(20, 0), (50, 1)])
    def test_counts_not_before_its_stage(self, epoch: int, power: int):
        loss = bwce(epoch)
        loss.set_difficulty(torch.tensor([0.1, 0.2, 0.3], dtype=torch.float64))
        assert loss.class_weight.tolist() == pytest.approx(inverse(COUNTS, power), rel=1e-12)

    def test_goes_with_the_checkpoint(self):
        trained, loaded = bwce(75), BWCE(torch.tensor(COUNTS))
        assert {"f1", "class_weight"} <= trained.state_dict().keys()
        loaded.load_state_dict(trained.state_dict())
        logits, label = random_logits()
        for epoch in (75, 76):
            assert torch.equal(loaded.class_weight, trained.class_weight)
            assert torch.equal(loaded(logits, label), trained(logits, label))
            trained.set_epoch(epoch + 1, 100)
            loaded.set_epoch(epoch + 1, 100)


class TestBadArguments:
    @pytest.mark.parametrize(
        ("warm", "balanced"), [(-0.1, 0.5), (0.2, 1.1), (0.6, 0.5), (math.nan, 0.5), (0.2, math.nan)]
    )
    def test_stages_must_be_in_order(self, warm: float, balanced: float):
        with pytest.raises(ValueError, match=f"0 <= warm <= balanced <= 1, but are {warm} and {balanced}"):
            BWCE(torch.tensor(COUNTS), warm, balanced)

    def test_unknown_reduction(self):
        with pytest.raises(ValueError, match="weighted_mean or batch_mean, but is 'mean'"):
            BWCE(torch.tensor(COUNTS), reduction="mean")

    def test_empty_classes_are_named(self):
        with pytest.raises(ValueError, match="class label 1:"):
            BWCE(torch.tensor([5, 0, 2]))

    @pytest.mark.parametrize("max_epochs", [0, -1])
    def test_number_of_epochs_must_be_known(self, max_epochs: int):
        with pytest.raises(ValueError, match=f"number of epochs, but max_epochs is {max_epochs}"):
            BWCE(torch.tensor(COUNTS)).set_epoch(1, max_epochs)
