"""Losses are logged as Lightning's `log` does it at every step."""

import pandas as pd
import pytest
import torch
from lightning.pytorch.loggers import CSVLogger
from pixel_head import fit_pixels, pixel_head
from small_runs import digits, make_trainer, sgd

from lightning_imbal.modules import FrozenHead


class Twice(FrozenHead):
    """Also logs its losses by itself."""

    def training_step(self, batch, batch_idx):
        loss = super().training_step(batch, batch_idx)
        self.log("own", loss, on_step=False, on_epoch=True)
        self.log("own_step", loss, on_step=True, on_epoch=False)
        return loss

    def validation_step(self, batch, batch_idx):
        super().validation_step(batch, batch_idx)
        loss = self.batch_loss(self.logits(batch), batch["label"])
        self.log_loss("val/loss", loss)
        self.log("own_val", loss, on_step=False, on_epoch=True)
        self.log("own_val_step", loss, on_step=True, on_epoch=False)


@pytest.mark.parametrize(
    "options", [{"max_epochs": 2, "accumulate_grad_batches": 2}, {"max_epochs": 4, "max_steps": 13}], ids=str
)
def test_means_and_steps_are_those_of_lightning(options, tmp_path):
    """Epochs that end early count what they saw."""
    trainer = make_trainer(tmp_path, **options, log_every_n_steps=3)
    trainer.loggers = [CSVLogger(tmp_path, version=0)]
    fit_pixels(trainer, Twice, optimizer=sgd)
    curves = pd.read_csv(tmp_path / "lightning_logs/version_0/metrics.csv")
    own = {"train/loss": "own", "train/loss_step": "own_step", "val/loss": "own_val", "val/loss_step": "own_val_step"}
    for ours, lightnings in own.items():
        assert curves[ours].equals(curves[lightnings]) and curves[ours].notna().sum() >= 2
    assert trainer.callback_metrics["train/loss"] == trainer.callback_metrics["own"]


def test_a_training_that_broke_off_leaves_nothing_behind(tmp_path):
    class Breaks(Twice):
        steps = 0

        def training_step(self, batch, batch_idx):
            loss, type(self).steps = super().training_step(batch, batch_idx), self.steps + 1
            if self.steps == 3:
                raise RuntimeError
            return loss

    data, trainer = digits(), make_trainer(tmp_path)
    model = pixel_head(data, Breaks, optimizer=sgd)
    with pytest.raises(RuntimeError):
        trainer.fit(model, data)
    again = make_trainer(tmp_path)
    again.fit(model, data)
    assert torch.equal(again.callback_metrics["train/loss"], again.callback_metrics["own"])
