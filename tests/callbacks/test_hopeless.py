"""A training that is given up ends after that epoch, also if it goes on later."""

import torch
from small_runs import build, digits, make_trainer, sgd

from lightning_imbal.callbacks.hopeless import StopHopeless
from lightning_imbal.modules import Classifier


def fit(folder, callback, ckpt_path=None, **more):
    data = digits()
    model = build(Classifier, data, optimizer=sgd)
    trainer = make_trainer(folder, 4, callbacks=[callback], limit_train_batches=1, limit_val_batches=1, **more)
    trainer.fit(model, datamodule=data, ckpt_path=ckpt_path, weights_only=False if ckpt_path else None)
    return trainer


def test_it_ends_after_the_epoch_and_stays_ended(tmp_path):
    asked = []

    def is_hopeless(values):
        asked.append({**values})
        return max(values) == 1

    callback = StopHopeless("val/f1", is_hopeless)
    trainer = fit(tmp_path, callback)
    assert trainer.current_epoch == 2 and [*callback.values] == [0, 1] and len(asked) == 2
    assert callback.values[1] == float(trainer.callback_metrics["val/f1"])
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    assert torch.load(tmp_path / "last.ckpt", weights_only=True)["callbacks"]["StopHopeless"]["values"] == asked[-1]
    again = StopHopeless("val/f1", is_hopeless)
    steps = trainer.global_step
    went_on = fit(tmp_path, again, tmp_path / "last.ckpt")
    assert went_on.global_step == steps and asked[-1] == callback.values


def test_what_is_not_hopeless_trains_to_its_end(tmp_path):
    assert fit(tmp_path, StopHopeless("val/f1", lambda values: False)).current_epoch == 4
