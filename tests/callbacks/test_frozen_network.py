"""A frozen backbone is the same to the bit wherever weights are averaged; what is tested is the average."""

import pytest
import torch
from lightning.pytorch.callbacks import EMAWeightAveraging, StochasticWeightAveraging
from small_runs import NAMES, build, digits, make_trainer, sgd

from lightning_imbal.callbacks.kept_epoch import KeptEpoch
from lightning_imbal.callbacks.of_training import averages, finds, of_resumed, of_tests
from lightning_imbal.modules import Classifier, FrozenHead

FEW = {"num_sanity_val_steps": 0, "limit_train_batches": 2, "limit_val_batches": 2}
AVERAGES = {
    "ema": lambda: EMAWeightAveraging(decay=0.7),
    "by epochs": lambda: EMAWeightAveraging(decay=0.7, update_every_n_steps=0, update_starting_at_epoch=0),
    "swa": lambda: StochasticWeightAveraging(swa_lrs=0.1, swa_epoch_start=1),
}


@pytest.mark.parametrize("average", ["ema", pytest.param("by epochs", marks=pytest.mark.slow), "swa"])  # by steps, too
def test_a_frozen_backbone_stays_to_the_bit(average, tmp_path):
    data, seen = digits(), []

    class Watched(FrozenHead):
        def validation_step(self, batch, batch_idx):
            seen.append(same(self.backbone.state_dict()))
            super().validation_step(batch, batch_idx)

    model = build(Watched, data, optimizer=sgd)
    model.backbone.load_state_dict(build(Classifier, data).backbone.state_dict())
    for value in model.backbone.state_dict().values():  # numbers whose mean with themselves is rounded
        value.add_(torch.rand_like(value) / 3 if value.is_floating_point() else 1)
    before = {name: value.clone() for name, value in model.backbone.state_dict().items()}

    def same(state):
        return all(torch.equal(value, state[name]) for name, value in before.items())

    kept = KeptEpoch(tmp_path, "best", save_last="link")
    make_trainer(tmp_path, 3, callbacks=[AVERAGES[average](), kept], **FEW).fit(model, data)
    saved = torch.load(tmp_path / "best.ckpt", weights_only=True)["state_dict"]
    assert same(model.backbone.state_dict()) and seen and all(seen)
    assert same({name.removeprefix("backbone."): value for name, value in saved.items()})


@pytest.mark.parametrize(
    ("average", "backbone"),
    # The slow one has what is validated in the next test.
    [pytest.param("by epochs", "test_resnet", marks=pytest.mark.slow), ("swa", "test_resnet"), ("swa", "test_vit")],
)
def test_without_a_score_the_average_of_the_last_step_is_kept(average, backbone, tmp_path):
    """Without BatchNorm, Lightning makes the mean after the last epoch's end."""
    data = digits()
    model = Classifier(class_counts=data.class_counts, class_names=NAMES, backbone=backbone, optimizer=sgd)
    kept = KeptEpoch(tmp_path, "best", save_last="link")
    make_trainer(tmp_path, 3, callbacks=[AVERAGES[average](), kept], **FEW).fit(model, data)
    saved = torch.load(tmp_path / "best.ckpt", weights_only=True)["state_dict"]
    # Lightning leaves the average in the module when training ends.
    assert all(torch.equal(value, saved[name]) for name, value in model.state_dict().items())


def test_a_score_is_that_of_the_weights_that_are_kept(tmp_path):
    """An average that is made when the epoch ends was not validated in it."""
    data, validated = digits(), []

    class Watched(Classifier):
        def on_validation_epoch_start(self):
            validated.append({name: value.clone() for name, value in self.state_dict().items()})

    model = build(Watched, data, optimizer=sgd)
    kept = KeptEpoch(tmp_path, "best", "val/f1", "max")
    make_trainer(tmp_path, 3, callbacks=[AVERAGES["by epochs"](), kept], **FEW).fit(model, data)
    best = torch.load(tmp_path / "best.ckpt", weights_only=True)
    weights = validated[best["epoch"]]
    assert all(torch.equal(value, weights[name]) for name, value in best["state_dict"].items() if "report" not in name)


def test_a_test_goes_without_what_changes_the_training():
    others = [KeptEpoch("x", "best")]
    ema = AVERAGES["ema"]()
    assert of_tests([ema, *others, AVERAGES["swa"]()]) == others and of_resumed([ema, *others]) == [ema, *others]
    assert averages([*others, ema]) and not averages(others) and not finds([ema])
