"""Targets and both losses of targeted supervised contrastive learning, against slow oracles."""

import math

import pytest
import torch
import torch.nn.functional as F
from tsc_oracles import unit

import lightning_imbal.losses.tsc
from lightning_imbal.losses.supcon import SupConLoss
from lightning_imbal.losses.tsc import TSCLoss, simplex_targets


def anchor_loss(anchor, points, positives, targets, own_target, temperature, target_weight) -> float:
    """The loss of one anchor; `points` count in the denominator, `positives` are among them."""

    def similarity(point):
        return sum(a * b for a, b in zip(anchor, point, strict=True)) / temperature

    denominator = sum(math.exp(similarity(point)) for point in [*points, *targets])
    terms = [math.log(math.exp(similarity(point)) / denominator) for point in positives]
    if targets:
        terms.append(target_weight * math.log(math.exp(similarity(targets[own_target])) / denominator))
    return -sum(terms) / len(terms)


def batch_oracle(embedding, label, target, temperature, target_weight) -> float:
    points, classes = embedding.flatten(0, 1).tolist(), label.repeat_interleave(embedding.shape[1]).tolist()
    targets = [] if target is None else target.tolist()
    losses = []
    for i, anchor in enumerate(points):
        others = [k for k in range(len(points)) if k != i]
        positives = [points[k] for k in others if classes[k] == classes[i]]
        if positives or targets:
            rest = [points[k] for k in others]
            losses.append(anchor_loss(anchor, rest, positives, targets, classes[i], temperature, target_weight))
    return sum(losses) / len(losses)


def queue_oracle(query, key, label, queue, queue_label, target, temperature, target_weight) -> float:
    targets = [] if target is None else target.tolist()
    filled = [(point, c) for point, c in zip(queue.tolist(), queue_label.tolist(), strict=True) if c >= 0]
    losses = []
    for anchor, own, c in zip(query.tolist(), key.tolist(), label.tolist(), strict=True):
        points = [own, *(point for point, _ in filled)]
        positives = [own, *(point for point, of in filled if of == c)]
        losses.append(anchor_loss(anchor, points, positives, targets, c, temperature, target_weight))
    return sum(losses) / len(losses)


@pytest.fixture
def masks(monkeypatch):
    """The masks of positives that reach the formula."""
    seen = []
    pull = lightning_imbal.losses.tsc.pull_to_positives

    def record(score, positive, weight):
        seen.append(positive)
        return pull(score, positive, weight)

    monkeypatch.setattr(lightning_imbal.losses.tsc, "pull_to_positives", record)
    return seen


class TestTargets:
    @pytest.mark.parametrize(("num_classes", "dim"), [(2, 1), (2, 5), (4, 3), (7, 128)])
    def test_all_are_equally_far_apart(self, num_classes: int, dim: int):
        target = simplex_targets(num_classes, dim, seed=3)
        assert target.shape == (num_classes, dim) and target.dtype == torch.float32
        wanted = torch.full((num_classes, num_classes), -1 / (num_classes - 1)).fill_diagonal_(1)
        torch.testing.assert_close(target @ target.T, wanted, rtol=0, atol=1e-6)

    def test_the_seed_decides_the_rotation(self):
        assert torch.equal(simplex_targets(4, 8, seed=1), simplex_targets(4, 8, seed=1))
        assert (simplex_targets(4, 8, seed=1) - simplex_targets(4, 8, seed=2)).norm(dim=1).min() > 0.1

    def test_they_are_the_minimum_of_the_uniformity_loss(self):
        def uniformity(target):
            return (target @ target.T / 0.07).logsumexp(dim=1).mean()

        best = uniformity(simplex_targets(5, 6, seed=0).double())
        near = F.normalize(simplex_targets(5, 6, seed=0).double() + 0.05 * unit(5, 6), dim=1)
        assert best < uniformity(near) and best < uniformity(unit(5, 6))

    def test_too_many_classes_are_refused(self):
        with pytest.raises(ValueError, match=r"^9 targets .* 7 dimensions: set embedding_size to at least 8\.$"):
            simplex_targets(9, 7, seed=0)


LABELS = {
    "all classes": [0, 1, 2, 2, 1],
    "one class": [1, 1, 1, 1, 1],
    "classes absent": [0, 0, 0, 3, 3],
    "anchor alone": [0, 1, 1, 1, 2],
    "one sample": [2],
}


class TestTSCLoss:
    @pytest.mark.parametrize("label", LABELS.values(), ids=LABELS)
    @pytest.mark.parametrize("targeted", [True, False])
    @pytest.mark.parametrize(("temperature", "target_weight"), [(0.07, 1.0), (1.0, 0.2)])
    def test_batch_against_the_equation(self, label, targeted, temperature, target_weight):
        embedding, label = unit(len(label), 2, 4).requires_grad_(), torch.tensor(label)
        target = unit(4, 4, seed=1) if targeted else None
        loss = TSCLoss(temperature, target_weight)(embedding, label, target)
        loss.backward()
        assert loss.dtype == torch.float64 and embedding.grad.isfinite().all()
        expected = batch_oracle(embedding, label, target, temperature, target_weight)
        assert loss.item() == pytest.approx(expected, abs=1e-9)

    @pytest.mark.parametrize("label", LABELS.values(), ids=LABELS)
    @pytest.mark.parametrize("queue_label", [[-1] * 6, [0, 1, 2, -1, 1, -1], [3] * 6], ids=["empty", "part", "full"])
    @pytest.mark.parametrize("targeted", [True, False])
    @pytest.mark.parametrize(("temperature", "target_weight"), [(0.07, 1.0), (1.0, 0.2)])
    def test_queue_against_the_equation(self, label, queue_label, targeted, temperature, target_weight):
        query, key = unit(len(label), 4).requires_grad_(), unit(len(label), 4, seed=1)
        keys = key, torch.tensor(label), unit(6, 4, seed=2), torch.tensor(queue_label)
        target = unit(4, 4, seed=3) if targeted else None
        loss = TSCLoss(temperature, target_weight).with_queue(query, *keys, target)
        loss.backward()
        assert loss.dtype == torch.float64 and query.grad.isfinite().all()
        expected = queue_oracle(query, *keys, target, temperature, target_weight)
        assert loss.item() == pytest.approx(expected, abs=1e-9)

    @pytest.mark.parametrize("target_weight", [1.0, 0.5])
    def test_by_hand(self, target_weight: float):
        # Each of two equal views sees the other and its own target at cosine 1, the other class's target at -1.
        target = torch.tensor([[1.0, 0.0], [-1.0, 0.0]], dtype=torch.float64)
        loss = TSCLoss(1.0, target_weight)(target[:1].expand(1, 2, 2), torch.tensor([0]), target)
        assert loss.item() == pytest.approx((1 + target_weight) / 2 * math.log(2 + math.exp(-2)), abs=1e-12)

    def test_the_row_of_a_target_is_its_class(self):
        target = simplex_targets(4, 3, seed=0).double()
        label = torch.tensor([2, 0, 3])
        at_target, elsewhere = target[label], target[(label + 1) % 4]
        assert TSCLoss()(at_target, label, target) < 0.1 < TSCLoss()(elsewhere, label, target)

    def test_without_targets_it_is_the_supervised_contrastive_loss(self):
        embedding, label = unit(6, 2, 3), torch.tensor([0, 0, 1, 1, 1, 2])
        torch.testing.assert_close(TSCLoss(0.1)(embedding, label), SupConLoss(0.1)(embedding, label))
        torch.testing.assert_close(TSCLoss(0.1)(embedding[:, 0], label), SupConLoss(0.1)(embedding[:, 0], label))

    def test_with_own_key_and_queue_alone_it_is_the_loss_of_momentum_contrast(self):
        query, key, queue = unit(5, 3), unit(5, 3, seed=1), unit(7, 3, seed=2)
        scores = torch.cat([(query * key).sum(dim=1, keepdim=True), query @ queue.T], dim=1) / 0.07
        loss = TSCLoss(num_positives=0).with_queue(query, key, torch.arange(5), queue, torch.arange(7))
        torch.testing.assert_close(loss, F.cross_entropy(scores, torch.zeros(5, dtype=torch.long)))

    def test_a_target_of_weight_zero_still_counts_in_both_divisors(self):
        embedding, label, target = unit(1, 2, 3), torch.tensor([1]), unit(2, 3, seed=1)
        weighed = [TSCLoss(target_weight=weight)(embedding, label, target) for weight in (0.0, 1.0, 3.0)]
        torch.testing.assert_close(weighed[2] - weighed[0], 3 * (weighed[1] - weighed[0]))
        assert weighed[0].item() == pytest.approx(batch_oracle(embedding, label, target, 0.07, 0.0), abs=1e-9)

    def test_gradients(self):
        label, target = torch.tensor([0, 0, 1, 2]), unit(4, 3, seed=1)
        loss = TSCLoss(0.2, target_weight=0.4)
        assert torch.autograd.gradcheck(lambda x: loss(x, label, target), unit(4, 2, 3).requires_grad_())
        queue = unit(5, 3, seed=2), torch.tensor([0, 2, -1, 1, 0])
        key = unit(4, 3, seed=3)
        assert torch.autograd.gradcheck(
            lambda x: loss.with_queue(x, key, label, *queue, target), unit(4, 3).requires_grad_()
        )

    def test_no_anchor_has_a_positive(self):
        embedding = unit(4, 1, 3).requires_grad_()
        loss = TSCLoss()(embedding, torch.arange(4))
        loss.backward()
        assert loss.item() == 0
        assert torch.equal(embedding.grad, torch.zeros_like(embedding))

    @pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
    def test_low_temperature_is_computed_in_float32(self, dtype: torch.dtype):
        # All else lies opposite to an anchor, so that no cosine of the denominator is near that with itself.
        simplex = simplex_targets(4, 4, seed=0).double()
        embedding = F.normalize(simplex + 0.02 * unit(4, 4), dim=1).to(dtype).requires_grad_()
        label, target = torch.tensor([0, 0, 1, 1]), simplex[[2, 3, 0, 1]].float()
        queue = embedding.detach()[[1, 0, 3, 2]], label
        with torch.autocast("cpu", dtype=torch.bfloat16):
            batch = TSCLoss(0.01)(embedding, label, target)
            queued = TSCLoss(0.01).with_queue(embedding, queue[0], label, *queue, target)
        (batch + queued).backward()
        assert batch.dtype == queued.dtype == torch.float32 and embedding.grad.isfinite().all()
        exact = embedding.detach().double()
        keys = exact[[1, 0, 3, 2]], label, exact[[1, 0, 3, 2]], label
        assert batch.item() == pytest.approx(batch_oracle(exact[:, None], label, target, 0.01, 1.0), rel=1e-5)
        assert queued.item() == pytest.approx(queue_oracle(exact, *keys, target, 0.01, 1.0), rel=1e-5)

    @pytest.mark.parametrize(
        ("name", "value"), [("temperature", 0), ("target_weight", -0.1), ("num_positives", -1)], ids=str
    )
    def test_wrong_arguments_are_refused(self, name: str, value: float):
        with pytest.raises(ValueError, match=f"^{name} must .* but is {value}"):
            TSCLoss(**{name: value})


class TestDrawnPositives:
    LABEL = torch.tensor([0, 0, 0, 0, 0, 1, 1, 2])

    def test_so_many_points_of_the_class_are_positives_beside_the_own_views_and_the_target(self, masks):
        TSCLoss(num_positives=3)(unit(8, 2, 4), self.LABEL, unit(3, 4, seed=1))
        image, label = torch.arange(8).repeat_interleave(2), self.LABEL.repeat_interleave(2)
        points, targets = masks[0].split([16, 3], dim=1)
        own = (image[:, None] == image) & ~torch.eye(16, dtype=torch.bool)
        assert points[own].all() and not points[label[:, None] != label].any() and not points.diagonal().any()
        # Classes 0, 1 and 2 have 8, 2 and 0 points of other images.
        drawn = (points & ~own).sum(dim=1)
        assert drawn.tolist() == [3] * 10 + [2] * 4 + [0] * 2
        assert torch.equal(targets, F.one_hot(label, 3).bool())

    def test_so_many_keys_of_the_queue_are_positives_beside_the_own_key(self, masks):
        queue_label = torch.tensor([0, 0, 0, 0, 0, 1, -1, 2, 2])
        TSCLoss(num_positives=3).with_queue(
            unit(3, 4), unit(3, 4, seed=1), torch.arange(3), unit(9, 4, seed=2), queue_label, unit(3, 4, seed=3)
        )
        keys, queue, targets = masks[0].split([3, 9, 3], dim=1)
        eye = torch.eye(3, dtype=torch.bool)
        assert torch.equal(keys, eye) and torch.equal(targets, eye)
        assert queue.sum(dim=1).tolist() == [3, 1, 2] and not queue[torch.arange(3)[:, None] != queue_label].any()

    def test_each_point_of_the_class_is_drawn_equally_often(self, masks):
        torch.manual_seed(0)
        embedding, label = unit(500, 1, 2), torch.zeros(500, dtype=torch.long)
        TSCLoss(num_positives=100)(embedding, label)
        share = masks[0].float().sum(dim=0) / 499
        assert share.mean() == pytest.approx(100 / 499) and share.std() < 0.03
        TSCLoss(num_positives=100)(embedding, label)
        assert not torch.equal(masks[0], masks[1])

    def test_more_than_the_class_has_are_all(self):
        embedding, target = unit(8, 2, 4), unit(3, 4, seed=1)
        every, many = (TSCLoss(num_positives=number)(embedding, self.LABEL, target) for number in (None, 99))
        torch.testing.assert_close(many, every, rtol=0, atol=0)
