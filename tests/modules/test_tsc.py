"""Targeted supervised contrastive learning: targets, both losses against slow oracles, the module's state and steps."""

import copy
import itertools

import pytest
import small_runs
import torch
import torch.nn.functional as F
from lightning.pytorch import Callback
from lightning.pytorch.callbacks import ModelCheckpoint
from scipy.optimize import linear_sum_assignment
from small_runs import digits, make_trainer, sgd
from torch import nn
from tsc_oracles import unit

from lightning_imbal.data.recipes import ShiftCrop
from lightning_imbal.losses.tsc import TSCLoss, simplex_targets
from lightning_imbal.modules.frozen_head import FrozenHead
from lightning_imbal.modules.tsc import TSC

STATE = ("target", "class_centroid", "assignment")
QUEUE = ("queue", "queue_label", "queue_place")


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


@pytest.mark.parametrize(
    ("target_start", "max_epochs", "first", "queue_size"),
    [(0.5, 3, 2, 0), (0.5, 2, 1, 100), (0.0, 1, 0, 100), (1.0, 1, 1, 0), (1.0, 1, 1, 100)],
)
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
        data = digits(views=2, train_transform=ShiftCrop, batch_size=16)
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
        # Three batches of 16 fill 40 slots and then the first 8 again.
        data = digits(views=2, train_transform=ShiftCrop, batch_size=16)
        model = build(data, target_start=0.0, target_weight=0.3, queue_size=40, key_momentum=0.9)
        copied, batches = fit_and_copy(model, data, tmp_path, batches=3)
        queries, keys = (copy.deepcopy(nn.Sequential(copied.backbone, copied.projection)) for _ in range(2))
        optimizer, centroid = sgd(queries.parameters()), torch.zeros(10, 16, dtype=torch.float64)
        queue, queue_label, written = torch.zeros(40, 16, dtype=torch.float64), torch.full((40,), -1), 0
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
                queue[written % 40], queue_label[written % 40] = key[i], label[i]
                written += 1
        assert model.queue_place == written - 40 == 8
        assert torch.equal(model.queue_label, queue_label)
        torch.testing.assert_close(model.queue, queue)
        torch.testing.assert_close(model.class_centroid, centroid)
        same_parameters(nn.Sequential(model.backbone, model.projection), queries)
        same_parameters(nn.Sequential(model.key_backbone, model.key_projection), keys)

    @pytest.mark.parametrize("queue_size", [0, 100])
    def test_a_second_stage_takes_over_the_backbone(self, queue_size, tmp_path):
        data = digits(views=2)
        model, trainer = (
            build(data, queue_size=queue_size),
            make_trainer(tmp_path, 2, limit_train_batches=1, limit_val_batches=1),
        )
        trainer.fit(model, data)
        assert trainer.callback_metrics["train/loss"].isfinite() and trainer.callback_metrics["val/loss"].isfinite()
        trainer.save_checkpoint(tmp_path / "first.ckpt")
        second = small_runs.build(FrozenHead, digits(), backbone_ckpt=str(tmp_path / "first.ckpt"))
        make_trainer(tmp_path, limit_train_batches=1, limit_val_batches=0).fit(second, digits())
        same_state(second.backbone.state_dict(), model.backbone.state_dict(), rtol=0, atol=0)

    @pytest.mark.parametrize("queue_size", [0, 100])
    def test_validation_changes_nothing(self, queue_size, tmp_path):
        data = digits(views=2)
        model = build(data, target_start=0.0, queue_size=queue_size)
        make_trainer(tmp_path, limit_train_batches=2, limit_val_batches=0).fit(model, data)
        before = state_of(model)
        make_trainer(tmp_path, limit_val_batches=2).validate(model, data, verbose=False)
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

    @pytest.mark.parametrize("queue_size", [0, 6])
    def test_every_device_draws_the_same_positives(self, queue_size, small):
        model, batch, losses = small(queue_size=queue_size, num_positives=1), random_batch([0, 0, 0, 1, 1, 0]), []
        model.contrast(batch)
        for step, own_seed in [(0, 0), (0, 1), (1, 0)]:
            torch.manual_seed(own_seed)
            losses.append(copy.deepcopy(model).contrast(batch, step).item())
        assert losses[0] == losses[1] != losses[2]

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
        model = build(data, target_start=0.0, queue_size=queue_size)
        trainer = make_trainer(tmp_path, limit_train_batches=3, limit_val_batches=0)
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
        every, limits = ModelCheckpoint(tmp_path, "{epoch}", save_top_k=-1), {"limit_train_batches": 2}
        limits["limit_val_batches"] = 1
        whole, resumed = build(data, **kwargs), build(data, **kwargs)
        make_trainer(tmp_path, 2, callbacks=[every], **limits).fit(whole, data)
        trainer = make_trainer(tmp_path, 2, **limits)
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
        trainer = make_trainer(tmp_path, limit_train_batches=3, limit_val_batches=0, precision="bf16-mixed")
        trainer.fit(model, data)
        assert trainer.callback_metrics["train/loss"].isfinite() and model.class_centroid.isfinite().all()
        assert all(parameter.isfinite().all() for parameter in model.parameters())
