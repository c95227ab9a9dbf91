"""Balanced contrastive losses, their shared sum and the projection against slow oracles, limits and edge cases."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lightning_imbal.losses import BCLLoss, BHPLoss, SupConLoss, hybrid_proxy_counts

# The loss, the labels of the batch, and the number of proxies (or prototypes) of each class; class 1 is the largest.
CASES = {
    "bhp all classes": (BHPLoss, [0, 1, 1, 1, 2, 1], [2, 1, 5]),
    "bhp class absent": (BHPLoss, [1, 1, 0, 1, 0, 1], [2, 1, 5]),
    "bhp largest class absent": (BHPLoss, [0, 2, 0, 2], [2, 1, 5]),
    "bhp one sample": (BHPLoss, [0], [2, 1, 5]),
    "bhp one sample, of the largest class": (BHPLoss, [1], [2, 1, 5]),
    "bhp one class": (BHPLoss, [1, 1, 1, 1], [2, 1, 5]),
    "bhp one proxy each, classes absent": (BHPLoss, [0, 0, 0, 0], [1, 1, 1]),
    "bhp one proxy each, one sample": (BHPLoss, [2], [1, 1, 1]),
    "bcl all classes": (BCLLoss, [0, 1, 1, 1, 2, 1], [1, 1, 1]),
    "bcl class absent": (BCLLoss, [1, 1, 0, 1, 0, 1], [1, 1, 1]),
    "bcl one sample": (BCLLoss, [1], [1, 1, 1]),
    "bcl one class": (BCLLoss, [2, 2, 2, 2], [1, 1, 1]),
}
every_case = pytest.mark.parametrize(("kind", "label", "number"), CASES.values(), ids=CASES.keys())
every_temperature = pytest.mark.parametrize("temperature", [0.01, 0.1, 1.0])


def random_embedding(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(*shape, generator=generator, dtype=torch.float64), dim=-1)


def class_label(number: list[int]) -> Tensor:
    return torch.arange(len(number)).repeat_interleave(torch.tensor(number))


def random_batch(label: list[int], number: list[int]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    embedding, proxy = random_embedding(len(label), 4), random_embedding(sum(number), 4, seed=1)
    return embedding, torch.tensor(label), proxy, class_label(number)


def contrast(loss: nn.Module, embedding: Tensor, label: Tensor, proxy: Tensor, proxy_label: Tensor) -> Tensor:
    labels_of_proxies = () if isinstance(loss, BCLLoss) else (proxy_label,)
    return loss(embedding, label, proxy, *labels_of_proxies)


def contrast_oracle(kind: type, batch: tuple[Tensor, Tensor, Tensor, Tensor], temperature: float) -> float:
    embedding, label, proxy, proxy_label = [tensor.tolist() for tensor in batch]
    points, labels = embedding + proxy, label + proxy_label

    def exp(i: int, k: int) -> float:
        return math.exp(sum(a * b for a, b in zip(points[i], points[k], strict=True)) / temperature)

    anchor_losses = []
    for i in range(len(embedding) if kind is BCLLoss else len(points)):
        positives = [j for j in range(len(points)) if j != i and labels[j] == labels[i]]
        if not positives:
            continue
        denominator = 0.0
        for k in range(len(points)):
            if k != i:
                size = labels.count(labels[k])
                denominator += exp(i, k) / (size - 1 if labels[k] == labels[i] else size)
        anchor_losses.append(-sum(math.log(exp(i, j) / denominator) for j in positives) / len(positives))
    return sum(anchor_losses) / len(anchor_losses)


class TestHybridProxyCounts:
    @pytest.mark.parametrize(
        ("class_counts", "expected"),
        [
            ([1113, 6705, 514, 327, 1099, 115, 142], [2, 1, 3, 4, 2, 7, 6]),  # ISIC 2018
            ([4522, 12875, 3323, 867, 2624, 239, 253, 628], [2, 1, 2, 3, 2, 7, 7, 4]),  # ISIC 2019
            ([100, 99, 11, 10, 9, 1], [1, 2, 2, 3, 3, 12]),
            ([50, 2, 50, 3], [1, 4, 1, 3]),
            ([5, 5, 5], [1, 1, 1]),
            ([8], [1]),
        ],
        ids=["isic2018", "isic2019", "around a tenth", "ties", "equal", "one class"],
    )
    def test_by_hand(self, class_counts: list[int], expected: list[int]):
        assert hybrid_proxy_counts(torch.tensor(class_counts)) == expected

    def test_empty_classes_are_named(self):
        with pytest.raises(ValueError, match="class label 1:"):
            hybrid_proxy_counts(torch.tensor([5, 0, 2]))


@every_case
class TestEveryBatch:
    @every_temperature
    def test_against_the_equation(self, kind: type, label: list[int], number: list[int], temperature: float):
        batch = random_batch(label, number)
        loss = contrast(kind(temperature), *batch)
        assert loss.dtype == torch.float64
        assert loss.item() == pytest.approx(contrast_oracle(kind, batch, temperature), abs=1e-9)

    @every_temperature
    def test_gradient(self, kind: type, label: list[int], number: list[int], temperature: float):
        embedding, label, proxy, proxy_label = random_batch(label, number)
        assert torch.autograd.gradcheck(
            lambda x, y: contrast(kind(temperature), x, label, y, proxy_label),
            (embedding.requires_grad_(), proxy.requires_grad_()),
        )

    def test_float32_suffices_at_low_temperature(self, kind: type, label: list[int], number: list[int]):
        embedding, label, proxy, proxy_label = random_batch(label, number)
        coarse = [tensor.float().requires_grad_() for tensor in (embedding, proxy)]
        precise = [tensor.detach().double().requires_grad_() for tensor in coarse]
        value, expected = [contrast(kind(0.01), x, label, y, proxy_label) for x, y in (coarse, precise)]
        value.backward()
        expected.backward()
        assert value.dtype == torch.float32
        torch.testing.assert_close(value, expected.float(), rtol=1e-5, atol=1e-5)
        for tensor, exact in zip(coarse, precise, strict=True):
            assert tensor.grad.isfinite().all()
            torch.testing.assert_close(tensor.grad, exact.grad.float(), rtol=1e-4, atol=1e-3)

    def test_bfloat16_autocast_is_computed_in_float32(self, kind: type, label: list[int], number: list[int]):
        _, label, _, proxy_label = random_batch(label, number)
        features = [torch.randn(n, 4, generator=torch.Generator().manual_seed(n)) for n in (len(label), sum(number))]
        weight = torch.eye(4, requires_grad=True)
        with torch.autocast("cpu", torch.bfloat16):
            embedding, proxy = [F.normalize(F.linear(feature, weight)).bfloat16() for feature in features]
            assert embedding.dtype == proxy.dtype == torch.bfloat16
            loss = contrast(kind(0.01), embedding, label, proxy, proxy_label)
        loss.backward()
        assert loss.dtype == torch.float32
        assert loss.isfinite()
        assert weight.grad.isfinite().all()
        outside = contrast(kind(0.01), embedding.float(), label, proxy.float(), proxy_label)
        torch.testing.assert_close(loss, outside, rtol=0, atol=0)

    def test_views_are_points(self, kind: type, label: list[int], number: list[int]):
        _, label, proxy, proxy_label = random_batch(label, number)
        embedding = random_embedding(len(label), 2, 4)
        flat = (embedding.reshape(-1, 4), torch.tensor([y for y in label.tolist() for _ in range(2)]))
        loss = contrast(kind(0.1), embedding, label, proxy, proxy_label)
        torch.testing.assert_close(loss, contrast(kind(0.1), *flat, proxy, proxy_label), rtol=0, atol=0)
        assert loss.item() == pytest.approx(contrast_oracle(kind, (*flat, proxy, proxy_label), 0.1), abs=1e-9)

    def test_order_of_samples_and_proxies_does_not_matter(self, kind: type, label: list[int], number: list[int]):
        embedding, label, proxy, proxy_label = random_batch(label, number)
        turned = [tensor.flip(0) for tensor in (embedding, label, proxy, proxy_label)]
        if kind is BCLLoss:  # whose prototypes are in the order of the labels
            turned[2:] = [proxy, proxy_label]
        expected = contrast(kind(0.1), embedding, label, proxy, proxy_label)
        torch.testing.assert_close(contrast(kind(0.1), *turned), expected, rtol=0, atol=1e-12)

    @every_temperature
    def test_every_class_weighs_the_same(self, kind: type, label: list[int], number: list[int], temperature: float):
        # All points coincide: the mean of each of the three classes is the exp of the positive.
        _, label, _, proxy_label = random_batch(label, number)
        embedding, proxy = [random_embedding(1, 4).expand(len(labels), 4) for labels in (label, proxy_label)]
        loss = contrast(kind(temperature), embedding, label, proxy, proxy_label)
        assert loss.item() == pytest.approx(math.log(3), abs=1e-12)


class TestBalancedLosses:
    # Class 0 is twice at (1, 0) and once, by a proxy, at (0, 1), where class 1 is as well.
    SAMPLE = torch.tensor([[1.0, 0.0], [1.0, 0.0]], dtype=torch.float64)
    PROXY = torch.tensor([[0.0, 1.0], [0.0, 1.0], [0.0, 1.0]], dtype=torch.float64)
    LABEL = torch.tensor([0, 0])
    SAMPLE_TERM = math.log((math.e + 3) / 2) - 1 / 2

    def test_bhp_by_hand(self):
        loss = BHPLoss(temperature=1.0)(self.SAMPLE, self.LABEL, self.PROXY, torch.tensor([0, 1, 1]))
        terms = [self.SAMPLE_TERM, math.log(1 + math.e), math.log((4 * math.e + 2) / 3) - 1]
        assert loss.item() == pytest.approx((2 * terms[0] + terms[1] + 2 * terms[2]) / 5, abs=1e-12)

    def test_bcl_by_hand(self):
        loss = BCLLoss(temperature=1.0)(self.SAMPLE, self.LABEL, self.PROXY[:2])
        assert loss.item() == pytest.approx(self.SAMPLE_TERM, abs=1e-12)

    @every_temperature
    def test_one_class_is_the_unbalanced_loss_less_a_constant(self, temperature: float):
        embedding, label = random_embedding(7, 4), torch.zeros(7, dtype=torch.long)
        loss = BHPLoss(temperature)(embedding[:4], label[:4], embedding[4:], label[4:])
        expected = SupConLoss(temperature)(embedding, label) - math.log(6)
        torch.testing.assert_close(loss, expected, rtol=0, atol=1e-12)

    @every_temperature
    def test_equal_classes_are_close_to_the_unbalanced_loss(self, temperature: float):
        # With n points in each class, a denominator lies between its sum over n and its sum over n - 1.
        embedding, label = random_embedding(12, 4), torch.arange(12) % 3
        loss = BHPLoss(temperature)(embedding[:6], label[:6], embedding[6:], label[6:])
        unbalanced = SupConLoss(temperature)(embedding, label)
        assert unbalanced - math.log(4) < loss < unbalanced - math.log(3)

    @pytest.mark.parametrize("label", [[0, 1, 2], [0, 0, 0, 0, 0, 1, 2, 2]])
    def test_orthogonal_classes_do_not_depend_on_their_sizes(self, label: list[int]):
        centre, label = torch.eye(3, dtype=torch.float64), torch.tensor(label)
        expected = math.log(1 + 2 * math.exp(-1 / 0.1))
        assert BHPLoss(0.1)(centre[label], label, centre, torch.arange(3)).item() == pytest.approx(expected, abs=1e-12)
        assert BCLLoss(0.1)(centre[label], label, centre).item() == pytest.approx(expected, abs=1e-12)

    @pytest.mark.parametrize("kind", [BHPLoss, BCLLoss])
    def test_anchor_far_from_all_other_points(self, kind: type):
        # Less the cosine with itself, the closest other point still has exp(-130) at this temperature, which is 0.
        rest = torch.cat([torch.linspace(-0.8, -0.35, 7)[:, None].double(), random_embedding(7, 5)], dim=1)
        rest[:, 1:] *= (1 - rest[:, :1] ** 2).sqrt()
        point = torch.cat([torch.eye(6, dtype=torch.float64)[:1], rest])
        cosine = point[:1].float() @ rest.float().T
        assert cosine.max() < -0.3
        assert not ((cosine - 1) / 0.01).exp().sum(dim=1).log().isfinite().any()

        batch = point[:5], torch.tensor([0, 0, 1, 1, 2]), point[5:], torch.arange(3)
        coarse = point.float().requires_grad_()
        precise = coarse.detach().double().requires_grad_()
        value, expected = [contrast(kind(0.01), x[:5], batch[1], x[5:], batch[3]) for x in (coarse, precise)]
        value.backward()
        expected.backward()
        torch.testing.assert_close(value, expected.float(), rtol=1e-5, atol=0)
        torch.testing.assert_close(coarse.grad, precise.grad.float(), rtol=1e-4, atol=1e-3)
        assert contrast(kind(0.01), *batch).item() == pytest.approx(contrast_oracle(kind, batch, 0.01), abs=1e-9)

    @pytest.mark.parametrize("num_proxies", [1, 3])
    def test_no_anchor_has_a_positive(self, num_proxies: int):
        proxy = random_embedding(num_proxies, 4).requires_grad_()
        loss = BHPLoss()(proxy.new_zeros(0, 4), torch.arange(0), proxy, torch.arange(num_proxies))
        loss.backward()
        assert loss.item() == 0
        assert torch.equal(proxy.grad, torch.zeros_like(proxy))

    def test_defaults_are_those_of_the_papers(self):
        assert (BHPLoss().temperature, BCLLoss().temperature) == (0.01, 0.1)

    @pytest.mark.parametrize("kind", [BHPLoss, BCLLoss])
    @pytest.mark.parametrize("temperature", [0.0, -1.0, math.nan])
    def test_temperature_must_be_positive(self, kind: type, temperature: float):
        with pytest.raises(ValueError, match=f"^temperature must be positive, but is {temperature}"):
            kind(temperature)
