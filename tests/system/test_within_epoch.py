"""A training that goes on within an epoch ends as one that never stopped: loaders, augmentation, mixers, schedules."""

from functools import partial

import pytest
import torch
from lightning.pytorch.callbacks import EMAWeightAveraging, ModelCheckpoint
from small_runs import balanced, build, digits, make_trainer, sgd

from lightning_imbal.data.recipes import ShiftCrop
from lightning_imbal.losses import LDAM, CrossEntropy, Deferred
from lightning_imbal.mixers import MixUp
from lightning_imbal.modules import BBN, ECL, BalancedMixUpClassifier, Classifier
from lightning_imbal.samplers import DeferredBalance

STEP = 8


def deferred(class_counts):
    return Deferred(class_counts, loss=LDAM, start=0.4)


KINDS = {
    "averaged": (Classifier, {}, {}),
    "mixed": (Classifier, {"mixer": MixUp, "loss": deferred}, {"sampler": partial(DeferredBalance, start=0.4)}),
    "pairs": (BalancedMixUpClassifier, {}, {"paired_sampler": balanced}),
    "two branches": (BBN, {}, {"paired_sampler": balanced}),
    "proxies": (ECL, {"loss": CrossEntropy}, {"views": 2}),
}


# Which are run with loader processes, and with accumulated gradients; or draw pairs as those do.
IN_OTHERS = ("mixed", "pairs", "two branches")


def train(name, folder, workers, accumulate, ckpt_path=None):
    kind, of_model, of_data = KINDS[name]
    data = digits(train_transform=ShiftCrop, **{"sampler": balanced} | of_data)
    data.num_workers = workers
    model = build(kind, data, optimizer=sgd, **of_model)
    kept = ModelCheckpoint(folder, "{step}", every_n_train_steps=STEP // accumulate, save_top_k=-1)
    averaging = [EMAWeightAveraging(decay=0.8)] if name == "averaged" else []
    few = {"accumulate_grad_batches": accumulate, "limit_val_batches": 1}
    trainer = make_trainer(folder, 3, callbacks=[*averaging, kept], **few)
    trainer.fit(model, data, ckpt_path=ckpt_path)
    return model


@pytest.mark.parametrize(
    ("name", "workers", "accumulate"),
    [
        *(pytest.param(name, 0, 1, marks=[pytest.mark.slow] if name in IN_OTHERS else []) for name in KINDS),
        *(("mixed", 2, 1), ("pairs", 0, 2)),
    ],
)
def test_the_weights_are_those_of_the_unbroken_training(name, workers, accumulate, tmp_path):
    whole = train(name, tmp_path / "whole", workers, accumulate)
    file = tmp_path / "whole" / f"step={STEP // accumulate}.ckpt"
    assert "random_numbers" in torch.load(file, weights_only=True), "it is within an epoch"
    resumed = train(name, tmp_path / "resumed", workers, accumulate, ckpt_path=file)
    for one, two in zip(whole.state_dict().values(), resumed.state_dict().values(), strict=True):
        assert torch.equal(one, two)
