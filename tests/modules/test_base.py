"""What every method shares, without training: who is told the epoch, what a checkpoint holds, what devices join."""

from types import SimpleNamespace

import pytest
import torch
from small_runs import build, digits
from torch import nn

from lightning_imbal.callbacks import DivergenceGuard, EpochStart, PlateauSteps
from lightning_imbal.errors import UserError
from lightning_imbal.losses import BWCE, Deferred
from lightning_imbal.modules import SCL, Classifier, FrozenHead, SupConRepresentation, base_devices
from lightning_imbal.modules.base_checks import check_views
from lightning_imbal.modules.base_first_stage import check_backbone
from lightning_imbal.schedulers import Plateau, Steps


@pytest.fixture(scope="module")
def data():
    return digits()


def deferred(class_counts):
    return Deferred(class_counts, loss=BWCE, start=0.5)


def test_losses_within_others_are_told_the_epoch(data):
    model = build(Classifier, data, loss=deferred)
    assert [type(loss) for loss in model.losses()] == [Deferred, BWCE]
    for epoch, weighted in {5: False, 6: True}.items():
        model.set_epoch(epoch, 10)
        assert (model.loss.loss.epoch, model.loss.loss.max_epochs, model.loss.weighted) == (epoch, 10, weighted)


def test_every_method_brings_what_watches_its_epochs(data):
    [callback] = build(Classifier, data).configure_callbacks()
    assert all(isinstance(callback, kind) for kind in (DivergenceGuard, EpochStart, PlateauSteps))
    told, trainer = [], SimpleNamespace(current_epoch=0, max_epochs=2, callback_metrics={})
    callback.on_train_epoch_start(trainer, SimpleNamespace(set_epoch=lambda *epochs: told.append(epochs)))
    assert told == [(1, 2)]
    trainer.callback_metrics["train/loss"] = torch.tensor(torch.nan)
    with pytest.raises(UserError, match="training loss has become nan"):
        callback.on_train_epoch_start(trainer, None)


def test_a_schedule_that_waits_for_a_score_is_not_stepped_by_the_epoch(data):
    model = build(Classifier, data)
    model.trainer = SimpleNamespace(state=SimpleNamespace(fn="fit"))
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    plateau, steps = Plateau(optimizer, 4), Steps(optimizer, 4)
    optimizer.step()
    model.lr_scheduler_step(plateau, torch.tensor(0.5))
    model.lr_scheduler_step(steps, None)
    assert (plateau.last_epoch, steps.last_epoch) == (0, 1)


def test_schedules_end_with_the_run(data):
    told = []
    model = build(Classifier, data, scheduler=lambda optimizer, epochs: told.append(epochs) or Steps(optimizer, epochs))
    model.trainer = SimpleNamespace(max_epochs=7)
    model.configure_optimizers()
    assert told == [7]


def test_pictures_are_normalised_as_in_training():
    trained, other = digits(mean=(0.1, 0.2, 0.3), std=(0.4, 0.5, 0.6)), digits()
    checkpoint = {"hyper_parameters": {"pretrained": "weights.safetensors", "backbone_ckpt": "a.ckpt", "alpha": 2}}
    model = build(Classifier, other)
    model.trainer = SimpleNamespace(datamodule=trained)
    model.on_save_checkpoint(checkpoint)
    assert checkpoint["hyper_parameters"] == {"pretrained": False, "backbone_ckpt": None, "alpha": 2}
    model.trainer = SimpleNamespace(datamodule=other)
    model.on_load_checkpoint(checkpoint)
    assert torch.equal(other.normalize.mean, trained.normalize.mean)
    assert torch.equal(other.normalize.std, trained.normalize.std)


def test_batches_outside_of_the_loops_are_prepared_as_in_them(data):
    model = build(Classifier, data)
    model.trainer = SimpleNamespace(strategy=SimpleNamespace(batch_to_device=lambda batch: {"image": 2 * batch}))
    assert list(model.batches([1, 2])) == [{"image": 2}, {"image": 4}]


def test_gradients_flow_back_through_what_devices_join(data, monkeypatch):
    model, asked = build(Classifier, data), []
    monkeypatch.setattr(
        model, "all_gather", lambda tensor, sync_grads: asked.append(sync_grads) or torch.stack([tensor, tensor])
    )
    for world_size, size in {1: 3, 2: 6}.items():
        model.trainer = SimpleNamespace(world_size=world_size)
        assert len(model.gather(torch.ones(3, 2))) == len(model.gather(torch.ones(3, dtype=torch.long))) == size
    assert asked == [True, False]


def test_what_devices_join_is_the_batch_of_one_device(data, monkeypatch):
    model = build(Classifier, data)
    model.trainer = SimpleNamespace(world_size=2)
    whole = torch.arange(12).reshape(6, 2)
    monkeypatch.setattr(model, "all_gather", lambda tensor, sync_grads: torch.stack([whole[0::2], whole[1::2]]))
    assert torch.equal(model.gather(whole[0::2]), whole)


def test_same_draws_are_those_of_seed_epoch_and_batch_alone(data, monkeypatch):
    model, drawn = build(Classifier, data), []
    for own_seed, seed, epoch, batch in [(0, 0, 0, 0), (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1)]:
        monkeypatch.setenv("PL_GLOBAL_SEED", str(seed))
        model.trainer = SimpleNamespace(current_epoch=epoch)
        torch.manual_seed(own_seed)
        with model.same_draws(batch):
            drawn.append(torch.rand(()).item())
        after = torch.rand(())
        assert torch.equal(after, torch.rand((), generator=torch.Generator().manual_seed(own_seed)))
    assert drawn[0] == drawn[1] and len(set(drawn)) == 4


def test_losses_are_means_of_an_epoch(data, monkeypatch):
    model, logged = build(SupConRepresentation, data), {}
    connector = SimpleNamespace(should_update_logs=False)
    model.trainer = SimpleNamespace(log_every_n_steps=0, _logger_connector=connector)
    monkeypatch.setattr(model, "log", lambda name, value, **how: logged.update({name: how}))
    monkeypatch.setattr(model, "contrast", lambda batch, batch_idx: torch.tensor(1.0))
    model.training_step({}, 0)
    model.log_losses(contrast=torch.tensor(1.0))
    model.on_train_batch_end(None, {}, 0)
    model.validation_step({}, 0)
    model.on_validation_batch_end(None, {}, 0)
    assert logged.keys() == {"train/loss", "val/loss", "train/contrast"}
    assert all(not how["on_step"] and how["on_epoch"] for how in logged.values())


def test_projection_has_batch_norm_if_asked(data):
    for batch_norm in (False, True):
        layers = build(SCL, data, batch_norm=batch_norm).projection.modules()
        assert any(isinstance(layer, nn.BatchNorm1d) for layer in layers) == batch_norm


@pytest.mark.parametrize(("views", "mend"), [(1, "needs 2 .*data.views=2"), (2, None), (3, None), (4, "can use 3")])
def test_views_are_neither_too_few_nor_too_many(views, mend):
    model, data = SimpleNamespace(min_views=2, max_views=3), SimpleNamespace(train_recipes=[None] * views)
    if mend is None:
        check_views(model, data)
    else:
        with pytest.raises(UserError, match=mend):
            check_views(model, data)


def test_a_backbone_of_another_width_is_another_one():
    check_backbone(SimpleNamespace(backbone=nn.Linear(3, 4)), nn.Linear(3, 4))
    with pytest.raises(UserError, match="another backbone"):
        check_backbone(SimpleNamespace(backbone=nn.Linear(3, 4)), nn.Linear(3, 5))


@pytest.mark.parametrize(
    ("devices", "kind", "told"), [(2, Classifier, True), (1, Classifier, False), (2, FrozenHead, False)]
)
def test_batch_norm_that_sees_devices_apart_is_said(devices, kind, told, data, monkeypatch):
    said = []
    monkeypatch.setattr(base_devices, "rank_zero_info", said.append)
    model = build(kind, data)
    model.trainer = SimpleNamespace(world_size=devices, datamodule=None)
    model.train()
    model.on_fit_start()
    assert [("sync_batchnorm" in line) for line in said] == [True] * told


def test_sizes_and_names_are_of_the_same_classes():
    with pytest.raises(UserError, match="class_counts has 3 numbers and class_names 2"):
        Classifier(class_counts=[3, 4, 5], class_names=["a", "b"], backbone="test_resnet")


@pytest.mark.parametrize("stage", ["fit", "validate", "test"])
def test_data_with_other_classes_are_refused(data, stage):
    model = Classifier(class_counts=[3, 4], class_names=["a", "b"], backbone="test_resnet")
    model.trainer = SimpleNamespace(datamodule=data)
    with pytest.raises(UserError, match="built for the classes a, b, but DigitsLT has 0, 1, .*data.class_names"):
        model.setup(stage)
    model.setup("predict")  # which looks at pictures alone


def test_normalisation_does_not_go_with_the_file_of_a_checkpoint(data):
    model, mapped = build(Classifier, data), {"mean": torch.zeros(3, 1, 1), "std": torch.ones(3, 1, 1)}
    model.on_load_checkpoint({"normalize": mapped})
    assert (
        torch.equal(model.normalization["mean"], mapped["mean"]) and model.normalization["mean"] is not mapped["mean"]
    )
