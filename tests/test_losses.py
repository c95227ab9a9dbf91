import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from lightning_imbal.losses import (
    CrossEntropy,
    ImbalancedLoss,
    SupConLoss,
    effective_number_weights,
    inverse_frequency_weights,
)

COUNTS = torch.tensor([60, 30, 10])


def random_logits(batch: int = 8, num_classes: int = 3) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(batch, num_classes, generator=generator, dtype=torch.float64)
    return logits, torch.arange(batch) % num_classes


def random_embedding(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(*shape, generator=generator, dtype=torch.float64), dim=-1)


def cross_entropy_oracle(
    logits: Tensor, label: Tensor, class_weight: list[float], reduction: str, sample_weight: list[float]
) -> float:
    total, divisor = 0.0, 0.0
    for row, y, w in zip(logits.tolist(), label.tolist(), sample_weight, strict=True):
        probability = math.exp(row[y]) / sum(math.exp(score) for score in row)
        total += w * class_weight[y] * -math.log(probability)
        divisor += class_weight[y] if reduction == "weighted_mean" else 1.0
    return total / divisor


def supcon_oracle(embedding: Tensor, label: Tensor, temperature: float) -> float:
    points, labels = embedding.tolist(), label.tolist()

    def similarity(i: int, j: int) -> float:
        return sum(a * b for a, b in zip(points[i], points[j], strict=True)) / temperature

    anchor_losses = []
    for i in range(len(points)):
        others = [k for k in range(len(points)) if k != i]
        positives = [j for j in others if labels[j] == labels[i]]
        if positives:
            denominator = sum(math.exp(similarity(i, k)) for k in others)
            terms = [math.log(math.exp(similarity(i, j)) / denominator) for j in positives]
            anchor_losses.append(-sum(terms) / len(positives))
    return sum(anchor_losses) / len(anchor_losses)


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


class TestSupConLoss:
    @pytest.mark.parametrize("temperature", [0.05, 0.1, 1.0])
    @pytest.mark.parametrize(
        "label",
        [
            [0, 0, 0, 1, 1, 1, 2, 2],
            [0, 0, 0, 0, 0, 0, 0, 0],
            [0, 0, 0, 0, 0, 0, 2, 2],
            [0, 0, 1, 1, 1, 1, 1, 2],
            [0, 0, 1, 2, 3, 4, 5, 6],
        ],
        ids=["all classes", "one class", "class absent", "anchor alone", "single positive"],
    )
    def test_against_the_equation(self, label: list[int], temperature: float):
        embedding, label = random_embedding(8, 4).requires_grad_(), torch.tensor(label)
        loss = SupConLoss(temperature)(embedding, label)
        loss.backward()
        assert loss.dtype == torch.float64
        assert loss.item() == pytest.approx(supcon_oracle(embedding, label, temperature), abs=1e-10)
        assert embedding.grad.isfinite().all()

    def test_by_hand(self):
        # Both anchors with a positive see similarity 1 to it and 0 to the third point, which is alone and left out.
        embedding = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
        loss = SupConLoss(temperature=1.0)(embedding, torch.tensor([0, 0, 1]))
        assert loss.item() == pytest.approx(math.log(1 + math.exp(-1)), abs=1e-12)

    @pytest.mark.parametrize("temperature", [0.05, 1.0])
    def test_collapsed_embedding(self, temperature: float):
        embedding = random_embedding(1, 4).expand(6, 4)
        loss = SupConLoss(temperature)(embedding, torch.tensor([0, 0, 0, 1, 1, 1]))
        assert loss.item() == pytest.approx(math.log(5), abs=1e-12)

    @pytest.mark.parametrize("label", [[0, 0, 1, 1, 2, 2], [0, 0, 0, 0, 1, 2]])
    def test_gradient(self, label: list[int]):
        embedding = random_embedding(6, 3).requires_grad_()
        assert torch.autograd.gradcheck(lambda x: SupConLoss(0.1)(x, torch.tensor(label)), embedding)

    @pytest.mark.parametrize("batch", [1, 4])
    def test_no_anchor_has_a_positive(self, batch: int):
        embedding = random_embedding(batch, 3).requires_grad_()
        loss = SupConLoss()(embedding, torch.arange(batch))
        loss.backward()
        assert loss.item() == 0
        assert torch.equal(embedding.grad, torch.zeros_like(embedding))

    def test_views_are_positives_of_each_other(self):
        embedding, label = random_embedding(4, 2, 3), torch.tensor([0, 0, 1, 2])
        loss = SupConLoss()(embedding, label)
        flat_label = torch.tensor([0, 0, 0, 0, 1, 1, 2, 2])
        torch.testing.assert_close(loss, SupConLoss()(embedding.reshape(8, 3), flat_label))
        assert loss.item() == pytest.approx(supcon_oracle(embedding.reshape(8, 3), flat_label, 0.1), abs=1e-10)

    def test_one_view_is_the_plain_call(self):
        embedding, label = random_embedding(6, 3), torch.tensor([0, 0, 1, 1, 2, 2])
        torch.testing.assert_close(SupConLoss()(embedding[:, None], label), SupConLoss()(embedding, label))

    def test_low_temperature_in_float32(self):
        # All others lie opposite, 1.3 below the cosine with itself: a shift by the latter leaves exp(-130), which is 0.
        simplex = torch.eye(4, dtype=torch.float64) - 0.25
        embedding = F.normalize(simplex + 0.02 * random_embedding(4, 4), dim=1)
        label = torch.tensor([0, 0, 1, 1])
        precise = embedding.clone().requires_grad_()
        coarse = embedding.float().requires_grad_()
        expected, value = SupConLoss(temperature=0.01)(precise, label), SupConLoss(temperature=0.01)(coarse, label)
        expected.backward()
        value.backward()

        similarity = coarse.detach() @ coarse.detach().T / 0.01
        shifted = similarity - similarity.max(dim=1, keepdim=True).values
        naive = shifted - (shifted.exp() * ~torch.eye(4, dtype=torch.bool)).sum(dim=1, keepdim=True).log()
        assert not naive.isfinite().any()
        assert value.dtype == torch.float32
        torch.testing.assert_close(value, expected.float(), rtol=1e-5, atol=0)
        torch.testing.assert_close(coarse.grad, precise.grad.float(), rtol=1e-4, atol=1e-3)
        assert expected.item() == pytest.approx(supcon_oracle(embedding, label, 0.01), abs=1e-10)

    def test_opposite_points_at_low_temperature(self):
        embedding = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [1.0, 0.0]], requires_grad=True)
        loss = SupConLoss(temperature=0.01)(embedding, torch.tensor([0, 0, 1]))
        loss.backward()
        # The first anchor prefers the third point by 200, the second is torn between two equal ones.
        assert loss.item() == pytest.approx((200 + math.log(2)) / 2, rel=1e-6)
        assert embedding.grad.isfinite().all()

    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
    def test_half_precision_is_computed_in_float32(self, dtype: torch.dtype):
        embedding, label = random_embedding(8, 4).to(dtype).requires_grad_(), torch.arange(8) // 2
        loss = SupConLoss(temperature=0.01)(embedding, label)
        loss.backward()
        assert loss.dtype == torch.float32
        torch.testing.assert_close(loss, SupConLoss(temperature=0.01)(embedding.float(), label))
        assert embedding.grad.isfinite().all()

    def test_autocast_changes_nothing(self):
        embedding, label = random_embedding(8, 4).float(), torch.arange(8) // 2
        with torch.autocast("cpu", dtype=torch.bfloat16):
            inside = SupConLoss(temperature=0.05)(embedding, label)
        torch.testing.assert_close(inside, SupConLoss(temperature=0.05)(embedding, label), rtol=0, atol=0)

    def test_embedding_is_not_normalised_again(self):
        embedding, label = random_embedding(6, 3), torch.tensor([0, 0, 1, 1, 2, 2])
        torch.testing.assert_close(SupConLoss(0.2)(2 * embedding, label), SupConLoss(0.05)(embedding, label))

    def test_base_temperature(self):
        embedding, label = random_embedding(6, 3), torch.tensor([0, 0, 1, 1, 2, 2])
        scaled = SupConLoss(0.1, base_temperature=0.07)(embedding, label)
        torch.testing.assert_close(scaled, SupConLoss(0.1)(embedding, label) * 0.1 / 0.07)

    def test_temperatures_must_be_positive(self):
        with pytest.raises(ValueError, match="^temperature must be positive, but is 0"):
            SupConLoss(0)
        with pytest.raises(ValueError, match="^base_temperature must be positive"):
            SupConLoss(0.1, base_temperature=-1)
