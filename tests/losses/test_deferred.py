"""Deferred loss against a slow oracle, its limits and its edge cases."""

import math
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from loss_oracles import COUNTS, SAMPLE_WEIGHT, effective_weights, random_logits, softmax, value_of

from lightning_imbal.losses import LDAM, MWNL, CrossEntropy, Deferred, Focal, effective_number_weights


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
