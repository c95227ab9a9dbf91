"""Targeted supervised contrastive learning: targets, both losses against slow oracles, the module's state and steps."""

import copy
import itertools
import math

import pytest
import small_runs
import torch
import torch.nn.functional as F
from lightning.pytorch import Callback
from lightning.pytorch.callbacks import ModelCheckpoint
from scipy.optimize import linear_sum_assignment
from small_runs import digits, make_trainer, sgd
from torch import Tensor, nn

import lightning_imbal.losses.tsc
from lightning_imbal.data.recipes import ShiftCrop
from lightning_imbal.losses.supcon import SupConLoss
from lightning_imbal.losses.tsc import TSCLoss, simplex_targets
from lightning_imbal.modules.frozen_head import FrozenHead
from lightning_imbal.modules.tsc import TSC

STATE = ("target", "class_centroid", "assignment")
QUEUE = ("queue", "queue_label", "queue_place")


def unit(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(*shape, generator=generator, dtype=torch.float64), dim=-1)


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

    def record(similarity, positive, keep, **kwargs):
        seen.append(positive)
        return pull(similarity, positive, keep, **kwargs)

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


def build(data, **kwargs):
    return small_runs.build(TSC, data, **{"optimizer": sgd, "hidden_size": 32, "embedding_size": 16} | kwargs)


@pytest.fixture
def small(tmp_path):
    """A module of four classes in training, and a trainer in its second of four epochs."""

    def make(**kwargs):
        torch.manual_seed(0)
        about = {"class_counts": [3, 5, 2, 4], "class_names": list("abcd"), "backbone": "test_resnet"}
        model = TSC(**about, **{"hidden_size": 32, "embedding_size": 5} | kwargs).train()
        model.trainer = make_trainer(tmp_path)
        model.set_epoch(2, max_epochs=4)
        return model

    return make


def random_batch(label, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return {"image": torch.rand(len(label), 2, 3, 32, 32, generator=generator), "label": torch.tensor(label)}


def recorded(module):
    """Collects what a module returns."""
    seen = []
    module.register_forward_hook(lambda module, args, output: seen.append(output.detach().clone()))
    return seen


def state_of(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def same_state(one, two, **kwargs):
    assert one.keys() == two.keys()
    for name, value in one.items():
        torch.testing.assert_close(value, two[name], msg=name, **kwargs)


class TestCentroids:
    @pytest.mark.parametrize("queue_size", [0, 6])
    def test_they_follow_the_means_of_the_batches(self, small, queue_size):
        model = small(queue_size=queue_size)
        seen = recorded(model.projection)
        centroid = torch.zeros(4, 5)
        for step, label in enumerate(([0, 1, 1, 3], [3, 3, 0, 0])):
            model.contrast(random_batch(label, seed=step))
            label = torch.tensor(label) if queue_size else torch.tensor(label).repeat_interleave(2)
            for c in set(label.tolist()):
                mean = F.normalize(seen[step][label == c].mean(dim=0), dim=0)
                centroid[c] = F.normalize(0.9 * centroid[c] + 0.1 * mean, dim=0)
            torch.testing.assert_close(model.class_centroid, centroid)
        torch.testing.assert_close(model.class_centroid.norm(dim=1), torch.tensor([1.0, 1.0, 0.0, 1.0]))

    def test_that_of_an_absent_class_stays_to_the_last_bit(self, small):
        model = small()
        model.class_centroid.copy_(unit(4, 5) / 3)
        before = model.class_centroid.clone()
        model.contrast(random_batch([1, 1, 3], seed=1))
        assert (model.class_centroid == before).all(dim=1).tolist() == [True, False, True, False]

    def test_a_batch_that_overflows_leaves_them_alone(self, small):
        model = small(target_start=0.0)
        model.contrast(random_batch([0, 1, 2, 3]))
        before = model.class_centroid.clone()
        batch = random_batch([0, 1, 2, 3], seed=1)
        batch["image"][0] = torch.inf
        assert not model.contrast(batch).isfinite()
        assert torch.equal(model.class_centroid, before)


class TestAssignment:
    def test_it_is_the_best_of_all_permutations(self, small):
        model = small(target_start=0.0)
        found = set()
        for step in range(8):
            model.class_centroid.copy_(unit(4, 5, seed=step))
            model.contrast(random_batch([0, 1, 2, 3], seed=step))
            cosine = model.class_centroid @ model.target.T
            best = max(
                itertools.permutations(range(4)), key=lambda order: sum(cosine[c, order[c]].item() for c in range(4))
            )
            assert tuple(model.assignment.tolist()) == best
            assert torch.equal(model.class_target(), model.target[list(best)])
            found.add(best)
        assert len(found) > 2

    def test_it_waits_for_the_targets(self, small):
        model = small(target_start=0.5)
        model.class_centroid.copy_(model.target[[1, 2, 3, 0]])
        model.contrast(random_batch([0, 1]))
        assert model.assignment.tolist() == [0, 1, 2, 3] and model.class_target() is None
        model.set_epoch(3, max_epochs=4)
        model.contrast(random_batch([0, 1]))
        assert model.assignment.tolist() == [1, 2, 3, 0]

    @pytest.mark.parametrize("seed", ["1", "2"])
    def test_targets_are_rotated_by_the_seed_of_the_run(self, small, seed, monkeypatch):
        monkeypatch.setenv("PL_GLOBAL_SEED", seed)
        assert torch.equal(small().target, simplex_targets(4, 5, int(seed)))


class TargetsSeen(Callback):
    """Whether targets were used in each epoch of training and of validation."""

    def __init__(self):
        self.train, self.val = {}, {}

    def on_train_batch_end(self, trainer, pl_module, *args):
        self.train.setdefault(trainer.current_epoch, set()).add(pl_module.class_target() is not None)

    def on_validation_batch_end(self, trainer, pl_module, *args):
        if not trainer.sanity_checking:
            self.val.setdefault(trainer.current_epoch, set()).add(pl_module.class_target() is not None)


@pytest.mark.parametrize(("target_start", "max_epochs", "first"), [(0.5, 3, 2), (0.5, 2, 1), (0.0, 1, 0), (1.0, 1, 1)])
@pytest.mark.parametrize("queue_size", [0, 100])
def test_targets_are_used_from_their_epoch_on(target_start, max_epochs, first, queue_size, tmp_path):
    model, seen = build(digits(views=2), target_start=target_start, queue_size=queue_size), TargetsSeen()
    trainer = make_trainer(tmp_path, max_epochs, limit_train_batches=1, limit_val_batches=1, callbacks=[seen])
    trainer.fit(model, digits(views=2))
    assert seen.train == seen.val == {epoch: {epoch >= first} for epoch in range(max_epochs)}


class BatchesSeen(Callback):
    def __init__(self):
        self.batches = []

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        self.batches.append(copy.deepcopy(batch))


def fit_and_copy(model, data, folder, batches):
    """Trains some batches in double precision; returns the model as it was before, and the batches."""
    before, seen = copy.deepcopy(model), BatchesSeen()
    limits = {"limit_train_batches": batches, "limit_val_batches": 0}
    make_trainer(folder, precision="64-true", callbacks=[seen], **limits).fit(model, data)
    return before.double().train(), [(batch["image"].double(), batch["label"]) for batch in seen.batches]


def softmax_loss(anchor, points, positives, target, own_target, target_weight):
    """One anchor's loss: the mean over its positives and its target."""
    log_share = F.log_softmax(torch.cat([points, target]) @ anchor / 0.07, dim=0)
    of_points = log_share[: len(points)][positives]
    return -(of_points.sum() + target_weight * log_share[len(points) + own_target]) / (len(of_points) + 1)


def assigned(centroid, embedding, label, target):
    """The targets of the classes after a step, which moves the centroids."""
    for c in set(label.tolist()):
        mean = F.normalize(embedding.detach()[label == c].mean(dim=0), dim=0)
        centroid[c] = F.normalize(0.9 * centroid[c] + 0.1 * mean, dim=0)
    return target[linear_sum_assignment(-centroid @ target.T)[1]]


def same_parameters(module, expected):
    for (name, value), wanted in zip(module.named_parameters(), expected.parameters(), strict=True):
        torch.testing.assert_close(value, wanted, msg=name)


class TestTraining:
    def test_steps_with_the_batch_by_hand(self, tmp_path):
        data = digits(views=2, train_transform=ShiftCrop)
        model = build(data, target_start=0.0, target_weight=0.3)
        copied, batches = fit_and_copy(model, data, tmp_path, batches=2)
        optimizer, centroid = sgd(copied.parameters()), torch.zeros(10, 16, dtype=torch.float64)
        for image, label in batches:
            point = copied.projection(copied.backbone(image.flatten(0, 1)))
            label = label.repeat_interleave(2)
            target = assigned(centroid, point, label, model.target)
            losses = []
            for i in range(len(point)):
                others = torch.arange(len(point)) != i
                positives = (label == label[i])[others]
                losses.append(softmax_loss(point[i], point[others], positives, target, label[i], 0.3))
            optimizer.zero_grad()
            torch.stack(losses).mean().backward()
            optimizer.step()
        torch.testing.assert_close(model.class_centroid, centroid)
        same_parameters(model.backbone, copied.backbone)
        same_parameters(model.projection, copied.projection)

    def test_steps_with_a_queue_by_hand(self, tmp_path):
        # Three batches of 64 fill 150 slots and then the first 42 again.
        data = digits(views=2, train_transform=ShiftCrop)
        model = build(data, target_start=0.0, target_weight=0.3, queue_size=150, key_momentum=0.9)
        copied, batches = fit_and_copy(model, data, tmp_path, batches=3)
        queries, keys = (copy.deepcopy(nn.Sequential(copied.backbone, copied.projection)) for _ in range(2))
        optimizer, centroid = sgd(queries.parameters()), torch.zeros(10, 16, dtype=torch.float64)
        queue, queue_label, written = torch.zeros(150, 16, dtype=torch.float64), torch.full((150,), -1), 0
        for image, label in batches:
            query = queries(image[:, 0])
            with torch.no_grad():
                for of_key, of_query in zip(keys.parameters(), queries.parameters(), strict=True):
                    of_key.copy_(0.9 * of_key + 0.1 * of_query)
                key = keys(image[:, 1])
            target = assigned(centroid, query, label, model.target)
            filled = queue_label >= 0
            losses = []
            for i in range(len(query)):
                points = torch.cat([key[i : i + 1], queue[filled]])
                positives = torch.cat([torch.tensor([True]), queue_label[filled] == label[i]])
                losses.append(softmax_loss(query[i], points, positives, target, label[i], 0.3))
            optimizer.zero_grad()
            torch.stack(losses).mean().backward()
            optimizer.step()
            for i in range(len(key)):
                queue[written % 150], queue_label[written % 150] = key[i], label[i]
                written += 1
        assert model.queue_place == written - 150 == 42
        assert torch.equal(model.queue_label, queue_label)
        torch.testing.assert_close(model.queue, queue)
        torch.testing.assert_close(model.class_centroid, centroid)
        same_parameters(nn.Sequential(model.backbone, model.projection), queries)
        same_parameters(nn.Sequential(model.key_backbone, model.key_projection), keys)

    @pytest.mark.parametrize("queue_size", [0, 100])
    def test_a_second_stage_takes_over_the_backbone(self, queue_size, tmp_path):
        data = digits(views=2)
        model, trainer = build(data, queue_size=queue_size), make_trainer(tmp_path, 2, limit_train_batches=3)
        trainer.fit(model, data)
        assert trainer.callback_metrics["train/loss"].isfinite() and trainer.callback_metrics["val/loss"].isfinite()
        trainer.save_checkpoint(tmp_path / "first.ckpt")
        second = small_runs.build(FrozenHead, digits(), backbone_ckpt=str(tmp_path / "first.ckpt"))
        make_trainer(tmp_path).fit(second, digits())
        same_state(second.backbone.state_dict(), model.backbone.state_dict(), rtol=0, atol=0)

    @pytest.mark.parametrize("queue_size", [0, 100])
    def test_validation_changes_nothing(self, queue_size, tmp_path):
        data = digits(views=2)
        model = build(data, target_start=0.0, queue_size=queue_size)
        make_trainer(tmp_path, limit_train_batches=2).fit(model, data)
        before = state_of(model)
        make_trainer(tmp_path).validate(model, data, verbose=False)
        same_state(state_of(model), before, rtol=0, atol=0)

    def test_the_validation_part_is_scored_without_the_queue(self, small):
        model = small(target_start=0.0, queue_size=6)
        model.contrast(random_batch([0, 1, 2, 3]))
        batch = random_batch([0, 0, 1], seed=1)
        batch["image"] = batch["image"][:, 0]
        model.eval()
        expected = TSCLoss()(model(batch["image"]), batch["label"], model.class_target())
        torch.testing.assert_close(model.contrast(batch), expected)

    def test_epochs_without_end_are_refused(self, small):
        with pytest.raises(ValueError, match="^TSC needs .* max_epochs is -1"):
            small().set_epoch(1, max_epochs=-1)


class TestQueue:
    def test_it_is_not_longer_than_the_training_part(self, small):
        assert small(queue_size=65536).queue.shape == (14, 5)
        assert small(queue_size=6).queue.shape == (6, 5)

    def test_a_batch_beyond_its_length_leaves_the_latest_keys(self, small):
        model = small(queue_size=3)
        seen = recorded(model.key_projection)
        model.contrast(random_batch([0, 1, 2, 3, 0]))
        assert model.queue_label.tolist() == [2, 3, 0]
        assert torch.equal(model.queue, seen[0][-3:])
        model.contrast(random_batch([1, 2], seed=1))
        assert model.queue_label.tolist() == [1, 2, 0] and model.queue_place == 2

    def test_keys_of_two_devices_stand_in_the_order_of_the_whole_batch(self, small, monkeypatch):
        model = small(queue_size=6)
        seen = recorded(model.key_projection)
        monkeypatch.setattr(type(model.trainer), "world_size", 2)
        # As if the even images had been on the first device, the odd ones on the second.
        model.gather = lambda part: torch.cat([part[0::2], part[1::2]])
        model.contrast(random_batch([3, 1, 0, 2]))
        assert model.queue_label.tolist() == [3, 1, 0, 2, -1, -1]
        assert torch.equal(model.queue[:4], seen[0])

    def test_the_copies_are_not_trained(self, small):
        model = small(queue_size=6)
        trained = set(model.trained_parameters())
        assert trained == {*model.backbone.parameters(), *model.projection.parameters()}
        copies = [*model.key_backbone.parameters(), *model.key_projection.parameters()]
        model.contrast(random_batch([0, 1, 2, 3])).backward()
        assert copies and all(parameter.grad is None for parameter in copies)
        assert all(parameter.grad is not None for parameter in trained)

    def test_without_one_nothing_of_it_is_there(self, small):
        assert not [name for name in small().state_dict() if name.startswith("key_") or name.startswith("queue")]

    def test_no_name_of_a_copy_is_one_of_the_backbone(self, small):
        plain, queued = (
            {name for name in small(queue_size=size).state_dict() if name.startswith("backbone.")} for size in (0, 6)
        )
        assert plain == queued

    def test_two_views_are_all_it_can_use(self, small):
        assert (small().min_views, small().max_views) == (2, None)
        assert (small(queue_size=6).min_views, small(queue_size=6).max_views) == (2, 2)


class TestResume:
    @pytest.mark.parametrize("queue_size", [0, 100])
    def test_a_checkpoint_keeps_all_state(self, queue_size, tmp_path):
        data = digits(views=2)
        model, trainer = build(data, target_start=0.0, queue_size=queue_size), make_trainer(tmp_path)
        trainer.fit(model, data)
        trainer.save_checkpoint(tmp_path / "model.ckpt")
        loaded = TSC.load_from_checkpoint(tmp_path / "model.ckpt")
        names = STATE + QUEUE if queue_size else STATE
        fresh = build(data, queue_size=queue_size).state_dict()
        assert not [name for name in names[1:] if torch.equal(fresh[name], model.state_dict()[name])]
        assert all(torch.equal(loaded.state_dict()[name], model.state_dict()[name]) for name in names)

    @pytest.mark.parametrize("queue_size", [0, 100])
    def test_a_resumed_run_ends_like_an_unbroken_one(self, queue_size, tmp_path):
        data, kwargs = digits(views=2), {"queue_size": queue_size, "num_positives": 2}
        every = ModelCheckpoint(tmp_path, "{epoch}", save_top_k=-1)
        whole, resumed = build(data, **kwargs), build(data, **kwargs)
        make_trainer(tmp_path, 2, limit_train_batches=3, callbacks=[every]).fit(whole, data)
        trainer = make_trainer(tmp_path, 2, limit_train_batches=3)
        trainer.fit(resumed, data, ckpt_path=tmp_path / "epoch=0.ckpt")
        same_state(resumed.state_dict(), whole.state_dict(), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("name", "value"),
    [("target_start", 1.5), ("queue_size", -1), ("key_momentum", 1.0), ("key_momentum", -0.1)],
    ids=str,
)
def test_wrong_arguments_are_refused(small, name, value):
    with pytest.raises(ValueError, match=f"^{name} must .* but is {value}"):
        small(**{name: value})


def test_an_embedding_too_small_for_the_classes_is_refused(small):
    with pytest.raises(ValueError, match="set embedding_size to at least 3"):
        small(embedding_size=2)


def test_half_precision_trains(tmp_path):
    data = digits(views=2)
    for queue_size in (0, 100):
        model = build(data, temperature=0.01, target_start=0.0, queue_size=queue_size)
        trainer = make_trainer(tmp_path, limit_train_batches=3, precision="bf16-mixed")
        trainer.fit(model, data)
        assert trainer.callback_metrics["train/loss"].isfinite() and model.class_centroid.isfinite().all()
        assert all(parameter.isfinite().all() for parameter in model.parameters())
